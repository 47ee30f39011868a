import Domain

extension HostedField {
    /// The field as the store keeps it.
    ///
    /// A type that the store does not know becomes a formula without a text, whose cells are kept as they come; its own
    /// name stays in the options.
    func field(ordinal: Int) -> Field {
        let known = FieldType(rawValue: type).flatMap { type in knownOptions(type).map { (type, $0) } }
        return Field(
            id: id,
            name: name,
            type: known?.0 ?? .formula,
            description: description.flatMap { $0.isEmpty ? nil : $0 },
            options: known?.1 ?? unknownOptions,
            ordinal: ordinal
        )
    }

    private var unknownOptions: FieldOptions {
        var options = FieldOptions()
        options.hostedType = type
        options.isValid = false
        return options
    }

    private func knownOptions(_ type: FieldType) -> FieldOptions? {
        var given = options
        guard
            var read = read(given)
                ?? {
                    // A result of a type that we do not know: the values still show what they are.
                    given["result"] = nil
                    return read(given)
                }()
        else { return nil }
        read.isValid = given["isValid"]?.boolValue
        switch type {
        case .multipleRecordLinks:
            read.linkedTable = linkedTable
            read.inverseLinkField = given["inverseLinkFieldId"]?.stringValue.flatMap { FieldID($0) }
            // Without the table, the cells are all that is known.
            if read.linkedTable == nil { return nil }
        case .createdTime, .lastModifiedTime:
            let result = read.result
            read.result = nil
            guard let shown = result?.options else { break }
            (read.dateFormat, read.timeFormat, read.timeZone) = (shown.dateFormat, shown.timeFormat, shown.timeZone)
            if result?.type == .date { (read.timeFormat, read.timeZone) = (nil, nil) }
        default: break
        }
        return read
    }

    private func read(_ options: JSONObject) -> FieldOptions? {
        let wire: JSONValue = ["name": .string(name), "type": .string(type), "options": .object(options)]
        // What cannot be read is told by the caller, who goes on without it.
        return try? FieldDraft(wire: wire).options
    }
}
