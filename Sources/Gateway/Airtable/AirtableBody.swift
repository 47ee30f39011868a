import Domain

/// The JSON object a client sent. Members that are known must have the right type; others are passed over, as the
/// hosted service does.
struct AirtableBody: Sendable {
    let members: JSONObject
    /// Where it stands in the request, for messages; empty at the root.
    private let place: String

    /// - Throws: `JSONError` for what is no JSON; `invalidRequest` for what is no object.
    init(parsing bytes: [UInt8]) throws {
        try self.init(JSONValue(parsing: bytes), place: "")
    }

    init(_ value: JSONValue, place: String) throws(AirtableRefusal) {
        guard let members = value.objectValue else {
            throw .invalid("\(place.isEmpty ? "The body" : place) must be an object.")
        }
        self.members = members
        self.place = place
    }

    /// The member's value; nil when it is absent or null.
    func value(_ name: String) -> JSONValue? { members[name].flatMap { $0.isNull ? .none : .some($0) } }

    /// Whether the member is there and null.
    func isNull(_ name: String) -> Bool { members[name]?.isNull == true }

    func text(_ name: String) throws(AirtableRefusal) -> String? {
        try typed(name, "a string") { $0.stringValue }
    }

    func requiredText(_ name: String) throws(AirtableRefusal) -> String {
        guard let text = try text(name) else { throw .missing(path(name)) }
        return text
    }

    func flag(_ name: String) throws(AirtableRefusal) -> Bool? {
        try typed(name, "true or false") { $0.boolValue }
    }

    func integer(_ name: String) throws(AirtableRefusal) -> Int? {
        try typed(name, "a whole number") { $0.intValue }
    }

    func object(_ name: String) throws(AirtableRefusal) -> AirtableBody? {
        guard let value = value(name) else { return nil }
        return try AirtableBody(value, place: path(name))
    }

    func texts(_ name: String) throws(AirtableRefusal) -> [String]? {
        guard let list = try typed(name, "an array of strings", { $0.arrayValue }) else { return nil }
        var texts: [String] = []
        for element in list {
            guard let text = element.stringValue else { throw .invalid("\(path(name)) must be an array of strings.") }
            texts.append(text)
        }
        return texts
    }

    /// The objects of an array.
    func objects(_ name: String) throws(AirtableRefusal) -> [AirtableBody]? {
        guard let list = try typed(name, "an array", { $0.arrayValue }) else { return nil }
        var objects: [AirtableBody] = []
        objects.reserveCapacity(list.count)
        for (number, element) in list.enumerated() {
            objects.append(try AirtableBody(element, place: "\(path(name))[\(number)]"))
        }
        return objects
    }

    func path(_ name: String) -> String { place.isEmpty ? name : "\(place).\(name)" }

    private func typed<T>(
        _ name: String,
        _ expected: String,
        _ read: (JSONValue) -> T?
    ) throws(AirtableRefusal) -> T? {
        guard let value = value(name) else { return nil }
        guard let read = read(value) else { throw .invalid("\(path(name)) must be \(expected).") }
        return read
    }
}
