package import Domain

/// The people whom cells of a tenant may name.
package struct CollaboratorDirectory: Sendable {
    private let byID: [UserID: Collaborator]
    private let byEmail: [String: Collaborator]
    /// Two of one name are nobody: a cell must not name the wrong one.
    private let byName: [String: Collaborator?]
    /// For mirrored bases, whose people are no users here: whoever is given with an identifier is taken.
    private let acceptsStrangers: Bool

    package init(_ people: [Collaborator] = [], acceptsStrangers: Bool = false) {
        byID = Dictionary(people.map { ($0.id, $0) }) { first, _ in first }
        byEmail = Dictionary(people.compactMap { person in person.email.map { (nameKey($0), person) } }) { first, _ in
            first
        }
        byName = Dictionary(people.compactMap { person in person.name.map { (nameKey($0), person) } }) { _, _ in nil }
        self.acceptsStrangers = acceptsStrangers
    }

    /// Whoever has this identifier; without name and e-mail when that is all that is known.
    package func person(_ id: UserID) -> Collaborator { byID[id] ?? Collaborator(id: id) }

    /// Who `json` means: `{id}`, `{email}`, or one of both, or a name, as a string.
    func person(_ json: JSONValue, byName isByName: Bool) -> Collaborator? {
        if let text = json.stringValue {
            if let id = UserID(text), let person = known(id, json) { return person }
            if let person = byEmail[nameKey(text)] { return person }
            return isByName ? byName[nameKey(text)] ?? nil : nil
        }
        if let text = json["id"]?.stringValue { return UserID(text).flatMap { known($0, json) } }
        return json["email"]?.stringValue.flatMap { byEmail[nameKey($0)] }
    }

    private func known(_ id: UserID, _ json: JSONValue) -> Collaborator? {
        if let person = byID[id] { return person }
        guard acceptsStrangers else { return nil }
        return Collaborator(id: id, email: json["email"]?.stringValue, name: json["name"]?.stringValue)
    }
}
