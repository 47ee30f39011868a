public import Domain

/// The address of an attachment's bytes, or of one of its thumbnails; nil leaves it out.
///
/// Made by who serves the bytes: addresses are signed and expire.
public typealias AttachmentAddress = @Sendable (Attachment, Attachment.Thumbnail.Size?) -> String?

/// Cells as a reader of the API gets them.
extension CellCodec {
    /// What a reader of the API gets for `value`; null for what is not to be shown.
    public static func json(of value: CellValue, field: Field, address: AttachmentAddress? = nil) -> JSONValue {
        switch value {
        case .text(let text): .string(text)
        case .number(let number): JSONNumber(number).map { .number($0) } ?? .null
        case .checked: true
        case .choice(let id): field.options.choiceName(id).map { .string($0) } ?? .null
        case .choices(let ids): .array(ids.compactMap { field.options.choiceName($0).map { .string($0) } })
        case .date(let date): .string(date.iso8601)
        case .dateTime(let instant): .string(field.showsDays ? CalendarDate(instant).iso8601 : instant.iso8601)
        case .links(let ids): .array(ids.map { .string($0.description) })
        case .collaborator(let person): json(of: person)
        case .collaborators(let people): .array(people.map(json))
        case .attachments(let files): .array(files.map { json(of: $0, address: address) })
        case .barcode(let code): json(of: code)
        case .button(let button): ["label": .string(button.label), "url": button.url.map { .string($0) } ?? .null]
        case .aiText(let text): json(of: text)
        case .computed(let value): json(ofComputed: value, address: address)
        }
    }

    /// What a formula, rollup or lookup gave: errors and numbers without a literal are objects.
    public static func json(ofComputed value: ComputedValue, address: AttachmentAddress? = nil) -> JSONValue {
        switch value {
        case .text(let text): .string(text)
        case .number(let number): JSONNumber(number).map { .number($0) } ?? .null
        case .special(let special): ["specialValue": .string(special.rawValue)]
        case .boolean(let flag): .bool(flag)
        case .day(let date): .string(date.iso8601)
        case .moment(let instant): .string(instant.iso8601)
        case .collaborator(let person): json(of: person)
        case .attachment(let file): json(of: file, address: address)
        case .barcode(let code): json(of: code)
        case .record(let id): .string(id.description)
        case .list(let values): .array(values.map { json(ofComputed: $0, address: address) })
        case .blank: .null
        case .error: ["error": "#ERROR!"]
        }
    }

    /// The `fields` object of a record: by field name, or by identifier, in the table's order of
    /// fields.
    public static func fields(
        of record: Record,
        table: Table,
        byID: Bool = false,
        address: AttachmentAddress? = nil
    ) -> JSONObject {
        JSONObject(
            table.fields.lazy.compactMap { field in
                guard let value = record.cells[field.id] else { return nil }
                let json = json(of: value, field: field, address: address)
                return json.isNull ? nil : (key: byID ? field.id.description : field.name, value: json)
            }
        )
    }

    /// `{id, email?, name?}`.
    public static func json(of person: Collaborator) -> JSONValue {
        var members: JSONObject = ["id": .string(person.id.description)]
        members["email"] = person.email.map { .string($0) }
        members["name"] = person.name.map { .string($0) }
        return .object(members)
    }

    public static func json(of file: Attachment, address: AttachmentAddress?) -> JSONValue {
        var members: JSONObject = ["id": .string(file.id.description)]
        members["width"] = file.width.map { .number(JSONNumber($0)) }
        members["height"] = file.height.map { .number(JSONNumber($0)) }
        // Without a content its bytes are at the hosted service.
        let own = file.contentHash.isEmpty ? nil : address?(file, nil)
        members["url"] = (file.hostedURL ?? own).map { .string($0) }
        members["filename"] = .string(file.filename)
        members["size"] = .number(JSONNumber(file.size))
        members["type"] = .string(file.type)
        var thumbnails = JSONObject()
        for thumbnail in file.thumbnails {
            guard let url = address?(file, thumbnail.size) else { continue }
            thumbnails[thumbnail.size.rawValue] = [
                "url": .string(url), "width": .number(JSONNumber(thumbnail.width)),
                "height": .number(JSONNumber(thumbnail.height)),
            ]
        }
        if !thumbnails.isEmpty { members["thumbnails"] = .object(thumbnails) }
        return .object(members)
    }

    private static func json(of code: Barcode) -> JSONValue {
        var members: JSONObject = ["text": .string(code.text)]
        members["type"] = code.type.map { .string($0) }
        return .object(members)
    }

    private static func json(of text: AIText) -> JSONValue {
        var members: JSONObject = ["state": .string(text.state.rawValue), "isStale": .bool(text.isStale)]
        members["value"] = text.value.map { .string($0) } ?? .null
        members["errorType"] = text.errorType.map { .string($0) }
        return .object(members)
    }
}

extension Field {
    /// Whether it is a time of creation or change of which only the day is shown.
    var showsDays: Bool {
        switch type {
        case .createdTime, .lastModifiedTime: options.dateFormat != nil && options.timeFormat == nil
        default: false
        }
    }
}
