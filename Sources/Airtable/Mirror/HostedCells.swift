import Domain

/// Cells as the hosted service gives them, by field identifier, read into the store's values.
///
/// What comes is the truth, so nothing is refused: what a field's type does not explain is left out and reported, since
/// then the schema that is kept here is mostly behind the service's.
struct HostedCells {
    let model: TableModel
    /// Whether attachments keep the addresses they come with, which expire: no, for what is stored.
    var keepsAddresses = false
    /// Whether everything could be read.
    private(set) var isWhole = true

    init(model: TableModel, keepsAddresses: Bool = false) {
        self.model = model
        self.keepsAddresses = keepsAddresses
    }

    /// The cells that are stored; times of creation are the row's own.
    mutating func cells(_ fields: JSONObject) -> [FieldID: CellValue] {
        var cells: [FieldID: CellValue] = [:]
        for (key, json) in fields {
            guard let field = FieldID(key).flatMap({ model.field(id: $0) }) else {
                isWhole = false
                continue
            }
            guard field.type != .createdTime, !json.isNull else { continue }
            cells[field.id] = value(json, field)
        }
        return cells
    }

    private mutating func value(_ json: JSONValue, _ field: Field) -> CellValue? {
        switch field.type {
        case .singleLineText, .multilineText, .richText, .email, .url, .phoneNumber, .manualSort:
            return known(json.stringValue).flatMap { Self.text($0) }.map { .text($0) }
        case .number, .currency, .percent, .duration, .rating, .autoNumber, .count:
            return known(json.doubleValue).map { .number($0) }
        case .checkbox:
            return known(json.boolValue) == true ? .checked : nil
        case .singleSelect, .externalSyncSource:
            return choice(json, field).map { .choice($0) }
        case .multipleSelects:
            let choices = (known(json.arrayValue) ?? []).compactMap { choice($0, field) }.distinct()
            return choices.isEmpty ? nil : .choices(choices)
        case .date:
            return known(json.stringValue.flatMap { CalendarDate(iso8601: $0) }).map { .date($0) }
        case .dateTime, .lastModifiedTime:
            return known(json.stringValue.flatMap { Instant(iso8601: $0) }).map { .dateTime($0) }
        case .multipleRecordLinks:
            let ids = (known(json.arrayValue) ?? []).compactMap { known(Self.record($0)) }.distinct()
            return ids.isEmpty ? nil : .links(ids)
        case .singleCollaborator, .createdBy, .lastModifiedBy:
            return StoredComposite.collaborator(json).map { .collaborator($0) }
        case .multipleCollaborators:
            // Groups of people are no users, and have no place in a cell.
            let people = (known(json.arrayValue) ?? []).compactMap { StoredComposite.collaborator($0) }.distinct()
            return people.isEmpty ? nil : .collaborators(people)
        case .multipleAttachments:
            var files: [Attachment] = []
            for json in known(json.arrayValue) ?? [] {
                guard let file = known(attachment(json)), !files.contains(where: { $0.id == file.id }) else { continue }
                files.append(file)
            }
            return files.isEmpty ? nil : .attachments(files)
        case .barcode:
            return known(StoredComposite.barcode(json)).map { .barcode($0) }
        case .button:
            return known(json["label"]?.stringValue).map {
                .button(ButtonValue(label: $0, url: json["url"]?.stringValue))
            }
        case .aiText:
            return aiText(json).map { .aiText($0) }
        case .formula, .rollup, .multipleLookupValues:
            let value = computed(json, field.options.result?.type)
            switch value {
            case .blank, .text(""), .list([]): return nil
            default: return .computed(value)
            }
        case .createdTime: return nil
        }
    }

    private mutating func known<T>(_ value: T?) -> T? {
        if value == nil { isWhole = false }
        return value
    }

    private mutating func choice(_ json: JSONValue, _ field: Field) -> ChoiceID? {
        let name = json.stringValue ?? json["name"]?.stringValue
        return known(field.options.choices?.first { $0.name == name }?.id)
    }

    // MARK: Computed values

    /// What a formula, rollup or lookup gave there.
    ///
    /// - Parameter type: of the field that its values are like.
    private func computed(_ json: JSONValue, _ type: FieldType?) -> ComputedValue {
        switch json {
        case .null: return .blank
        case .bool(let flag): return .boolean(flag)
        case .number(let number): return ComputedValue(number.doubleValue)
        case .array(let list): return .list(list.map { computed($0, type) })
        case .string(let text): return Self.computed(text, type)
        case .object(let object):
            if let special = object["specialValue"]?.stringValue.flatMap({ ComputedValue.Special(rawValue: $0) }) {
                return .special(special)
            }
            if object["error"] != nil { return .error }
            if let person = StoredComposite.collaborator(json) { return .collaborator(person) }
            if let file = attachment(json) { return .attachment(file) }
            if let code = StoredComposite.barcode(json) { return .barcode(code) }
            return .text(json.text)
        }
    }

    /// A text that stands for a day, a moment or a record only where it is shown again as it came.
    private static func computed(_ text: String, _ type: FieldType?) -> ComputedValue {
        let value: ComputedValue? =
            switch type {
            case .date: CalendarDate(iso8601: text).map { .day($0) }
            case .dateTime, .createdTime, .lastModifiedTime: Instant(iso8601: text).map { .moment($0) }
            case .multipleRecordLinks: RecordID(text).map { .record($0) }
            default: nil
            }
        if let value, CellCodec.json(ofComputed: value) == .string(text) { return value }
        return .text(text.replacing("\u{0}", with: "\u{FFFD}"))
    }

    // MARK: Parts

    private static func text(_ text: String) -> String? {
        if text.isEmpty { return nil }
        return text.hasNUL ? text.replacing("\u{0}", with: "\u{FFFD}") : text
    }

    private static func record(_ json: JSONValue) -> RecordID? {
        (json.stringValue ?? json["id"]?.stringValue).flatMap { RecordID($0) }
    }

    private func attachment(_ json: JSONValue) -> Attachment? {
        guard let id = json["id"]?.stringValue.flatMap({ AttachmentID($0) }) else { return nil }
        var file = Attachment(
            id: id,
            filename: json["filename"]?.stringValue ?? "",
            type: json["type"]?.stringValue ?? "",
            size: max(0, json["size"]?.numberValue?.int64Value ?? 0),
            width: json["width"]?.intValue,
            height: json["height"]?.intValue,
            // Its bytes are not here.
            contentHash: ""
        )
        if keepsAddresses { file.hostedURL = json["url"]?.stringValue }
        return file
    }

    private mutating func aiText(_ json: JSONValue) -> AIText? {
        // Older tables give the text alone.
        if let text = json.stringValue { return AIText(state: .generated, value: text) }
        guard let state = known(json["state"]?.stringValue.flatMap({ AIText.State(rawValue: $0) })) else { return nil }
        return AIText(
            state: state,
            isStale: json["isStale"]?.boolValue ?? false,
            value: json["value"]?.stringValue,
            errorType: json["errorType"]?.stringValue
        )
    }
}

extension HostedRecord {
    var created: Instant? { Instant(iso8601: createdTime) }
}
