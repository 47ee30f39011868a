import Domain

/// How cells that are no scalar and no list of identifiers lie in a row: as JSON of their own.
///
/// | value | stored |
/// |---|---|
/// | collaborator | `{"id":"usr…","name":…,"email":…}` |
/// | attachment | `{"id":"att…","name":…,"type":…,"size":…,"hash":…,"w":…,"h":…,"thumbs":{"small":[36,36]}}` |
/// | barcode | `{"text":…,"type":…}` |
/// | computed text, number, truth | the JSON of it |
/// | computed day, moment | `{"day":"2024-05-01"}`, `{"ms":1714566896000}` |
/// | computed record, person, file, code | `{"rec":"rec…"}`, `{"who":{…}}`, `{"file":{…}}`, `{"code":{…}}` |
/// | computed NaN and infinities, error | `{"num":"NaN"}`, `{"error":true}` |
/// | computed list, and blank in it | an array, null |
///
/// Rarer than scalars, so read through a tree.
enum StoredComposite {
    static func json(of value: ComputedValue) -> JSONValue {
        switch value {
        case .text(let text): .string(text)
        case .number(let number): JSONNumber(number).map { .number($0) } ?? .null
        case .boolean(let flag): .bool(flag)
        case .day(let date): ["day": .string(date.iso8601)]
        case .moment(let instant): ["ms": .number(JSONNumber(instant.milliseconds))]
        case .record(let id): ["rec": .string(id.description)]
        case .collaborator(let person): ["who": json(of: person)]
        case .attachment(let file): ["file": json(of: file)]
        case .barcode(let code): ["code": json(of: code)]
        case .special(let special): ["num": .string(special.rawValue)]
        case .error: ["error": true]
        case .blank: .null
        case .list(let values): .array(values.map(json))
        }
    }

    static func computed(_ json: JSONValue) -> ComputedValue? {
        switch json {
        case .null: return .blank
        case .string(let text): return .text(text)
        case .number(let number): return .number(number.doubleValue)
        case .bool(let flag): return .boolean(flag)
        case .array(let elements):
            var values: [ComputedValue] = []
            values.reserveCapacity(elements.count)
            for element in elements {
                guard let value = computed(element) else { return nil }
                values.append(value)
            }
            return .list(values)
        case .object(let members):
            guard members.count == 1, let (key, value) = members.first.map({ ($0.key, $0.value) }) else { return nil }
            switch key {
            case "day": return value.stringValue.flatMap { CalendarDate(iso8601: $0) }.map { .day($0) }
            case "ms": return value.numberValue?.int64Value.map { .moment(Instant(milliseconds: $0)) }
            case "rec": return value.stringValue.flatMap { RecordID($0) }.map { .record($0) }
            case "who": return collaborator(value).map { .collaborator($0) }
            case "file": return attachment(value).map { .attachment($0) }
            case "code": return barcode(value).map { .barcode($0) }
            case "num": return value.stringValue.flatMap { ComputedValue.Special(rawValue: $0) }.map { .special($0) }
            case "error": return value == true ? .error : nil
            default: return nil
            }
        }
    }

    // MARK: Parts

    static func json(of person: Collaborator) -> JSONValue { CellCodec.json(of: person) }

    static func collaborator(_ json: JSONValue) -> Collaborator? {
        guard let id = json["id"]?.stringValue.flatMap({ UserID($0) }) else { return nil }
        return Collaborator(id: id, email: json["email"]?.stringValue, name: json["name"]?.stringValue)
    }

    static func collaborators(_ json: JSONValue) -> [Collaborator]? { list(json, collaborator) }

    static func json(of file: Attachment) -> JSONValue {
        var members: JSONObject = [
            "id": .string(file.id.description), "name": .string(file.filename), "type": .string(file.type),
            "size": .number(JSONNumber(file.size)), "hash": .string(file.contentHash),
        ]
        members["w"] = file.width.map { .number(JSONNumber($0)) }
        members["h"] = file.height.map { .number(JSONNumber($0)) }
        guard !file.thumbnails.isEmpty else { return .object(members) }
        var thumbnails = JSONObject()
        for thumbnail in file.thumbnails {
            thumbnails[thumbnail.size.rawValue] = [
                .number(JSONNumber(thumbnail.width)), .number(JSONNumber(thumbnail.height)),
            ]
        }
        members["thumbs"] = .object(thumbnails)
        return .object(members)
    }

    static func attachments(_ json: JSONValue) -> [Attachment]? { list(json, attachment) }

    static func attachment(_ json: JSONValue) -> Attachment? {
        guard let id = json["id"]?.stringValue.flatMap({ AttachmentID($0) }), let name = json["name"]?.stringValue,
            let type = json["type"]?.stringValue, let size = json["size"]?.numberValue?.int64Value, size >= 0,
            let hash = json["hash"]?.stringValue
        else { return nil }
        var file = Attachment(id: id, filename: name, type: type, size: size, contentHash: hash)
        file.width = json["w"]?.intValue
        file.height = json["h"]?.intValue
        for (key, sides) in json["thumbs"]?.objectValue ?? [:] {
            guard let size = Attachment.Thumbnail.Size(rawValue: key), let width = sides[0]?.intValue,
                let height = sides[1]?.intValue
            else { return nil }
            file.thumbnails.append(Attachment.Thumbnail(size: size, width: width, height: height))
        }
        return file
    }

    static func json(of code: Barcode) -> JSONValue {
        var members: JSONObject = ["text": .string(code.text)]
        members["type"] = code.type.map { .string($0) }
        return .object(members)
    }

    static func barcode(_ json: JSONValue) -> Barcode? {
        json["text"]?.stringValue.map { Barcode(text: $0, type: json["type"]?.stringValue) }
    }

    static func json(of button: ButtonValue) -> JSONValue {
        var members: JSONObject = ["label": .string(button.label)]
        members["url"] = button.url.map { .string($0) }
        return .object(members)
    }

    static func button(_ json: JSONValue) -> ButtonValue? {
        json["label"]?.stringValue.map { ButtonValue(label: $0, url: json["url"]?.stringValue) }
    }

    static func json(of text: AIText) -> JSONValue {
        var members: JSONObject = ["state": .string(text.state.rawValue)]
        if text.isStale { members["stale"] = true }
        members["value"] = text.value.map { .string($0) }
        members["error"] = text.errorType.map { .string($0) }
        return .object(members)
    }

    static func aiText(_ json: JSONValue) -> AIText? {
        guard let state = json["state"]?.stringValue.flatMap({ AIText.State(rawValue: $0) }) else { return nil }
        return AIText(
            state: state,
            isStale: json["stale"] == true,
            value: json["value"]?.stringValue,
            errorType: json["error"]?.stringValue
        )
    }

    private static func list<Element>(_ json: JSONValue, _ read: (JSONValue) -> Element?) -> [Element]? {
        guard let elements = json.arrayValue else { return nil }
        let values = elements.compactMap(read)
        return values.count == elements.count ? values : nil
    }
}
