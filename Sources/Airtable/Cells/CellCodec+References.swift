import Domain

/// What writers give for cells that name something else: records, people, files, codes.
extension CellCodec {
    static func links(
        _ json: JSONValue,
        _ field: Field,
        _ typecast: Bool
    ) throws(AirtableError) -> CellInput {
        let elements: [JSONValue]
        switch json {
        case .array(let list): elements = list
        case .string(let text) where typecast: elements = CellText.list(text).map { .string($0) }
        default: throw .invalidValue(field, expected: "an array of record identifiers")
        }
        guard elements.count <= Limits.linksPerCell else {
            throw .invalidValue(field, expected: "at most \(Limits.linksPerCell) records")
        }
        var seen: Set<LinkInput> = []
        var inputs: [LinkInput] = []
        for element in elements {
            guard let text = element.stringValue ?? element["id"]?.stringValue else {
                throw .invalidValue(field, expected: "an array of record identifiers")
            }
            let input: LinkInput
            if let id = RecordID(text) {
                input = .record(id)
            } else if typecast {
                let trimmed = text.trimmingSpace()
                if trimmed.isEmpty { continue }
                input = .text(trimmed)
            } else {
                throw AirtableError(
                    .invalidRecordID,
                    "Field \"\(field.name)\" takes record identifiers: rec and 14 letters or digits"
                )
            }
            if seen.insert(input).inserted { inputs.append(input) }
        }
        return inputs.isEmpty ? .empty : .links(inputs)
    }

    static func duration(_ json: JSONValue, _ field: Field, _ typecast: Bool) throws(AirtableError) -> CellInput {
        switch json {
        case .number(let number) where number.doubleValue.isFinite:
            return .value(.number(number.doubleValue))
        case .string(let string) where typecast:
            let text = string.trimmingSpace()
            if text.isEmpty { return .empty }
            if let seconds = CellText.duration(text, format: field.options.durationFormat) {
                return .value(.number(seconds))
            }
        default: break
        }
        throw .invalidValue(field, expected: "a number of seconds")
    }

    static func barcode(_ json: JSONValue, _ field: Field, _ typecast: Bool) throws(AirtableError) -> CellInput {
        let expected = "an object with \"text\", and perhaps \"type\""
        let text: String
        var type: String?
        switch json {
        case .string(let string) where typecast: text = string
        case .number(let number) where typecast: text = number.text
        case .object(let object):
            guard case .string(let string)? = object["text"] else { throw .invalidValue(field, expected: expected) }
            text = string
            if let given = object["type"], !given.isNull {
                guard let name = given.stringValue, name.count <= 64, !name.hasNUL else {
                    throw .invalidValue(field, expected: expected)
                }
                type = name
            }
        default: throw .invalidValue(field, expected: expected)
        }
        if text.isEmpty { return .empty }
        guard text.unicodeScalars.count <= Limits.cellCharacters, !text.hasNUL else {
            throw .invalidValue(field, expected: "at most \(Limits.cellCharacters) characters")
        }
        return .value(.barcode(Barcode(text: text, type: type)))
    }

    /// - Parameter people: whom a cell may name. By name only when typecasting.
    static func collaborators(
        _ json: JSONValue,
        _ field: Field,
        _ typecast: Bool,
        _ people: CollaboratorDirectory
    ) throws(AirtableError) -> CellInput {
        let isSingle = field.type == .singleCollaborator
        let elements: [JSONValue]
        switch json {
        case .object where isSingle: elements = [json]
        case .array(let list) where !isSingle: elements = list
        case .string(let text) where typecast: elements = CellText.list(text).map { .string($0) }
        default:
            throw .invalidValue(field, expected: isSingle ? "an object with \"id\" or \"email\"" : "an array of those")
        }
        guard elements.count <= Limits.collaboratorsPerCell else {
            throw .invalidValue(field, expected: "at most \(Limits.collaboratorsPerCell) people")
        }
        var found: [Collaborator] = []
        for element in elements {
            guard let person = people.person(element, byName: typecast) else {
                throw .invalidValue(field, expected: "people of this workspace, by \"id\" or \"email\"")
            }
            if !found.contains(person) { found.append(person) }
        }
        guard let first = found.first else { return .empty }
        return .value(isSingle ? .collaborator(first) : .collaborators(found))
    }

    static func attachments(_ json: JSONValue, _ field: Field) throws(AirtableError) -> CellInput {
        guard case .array(let elements) = json else {
            throw .invalidValue(field, expected: "an array of objects with \"url\" or \"id\"")
        }
        guard elements.count <= Limits.attachmentsPerCell else {
            throw .invalidValue(field, expected: "at most \(Limits.attachmentsPerCell) attachments")
        }
        var inputs: [AttachmentInput] = []
        for element in elements {
            // An attachment as it is read has both; it is the stored one that is meant.
            if let id = element["id"]?.stringValue {
                guard let id = AttachmentID(id) else { throw .unknownAttachment(field) }
                inputs.append(.existing(id))
                continue
            }
            guard let url = element["url"]?.stringValue, !url.isEmpty, url.utf8.count <= Limits.attachmentURLBytes,
                CellText.isURL(url)
            else { throw .unknownAttachment(field) }
            let filename = element["filename"]
            guard filename == nil || filename?.isNull == true || filename?.stringValue?.hasNUL == false else {
                throw .unknownAttachment(field)
            }
            inputs.append(.url(url, filename: filename?.stringValue.flatMap { $0.isEmpty ? nil : $0 }))
        }
        return inputs.isEmpty ? .empty : .attachments(inputs)
    }
}
