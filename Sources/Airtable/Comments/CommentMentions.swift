import Domain

/// Reads mentions in comments: `@[usrAAAAAAAAAAAAAA]`, and `@[name@host]` from writers.
///
/// A user's name is taken too: names are unique in a tenant. What means nobody is left as it was written.
struct CommentMentions: Sendable {
    private let byID: [UserID: CommentPerson]
    private let byText: [String: CommentPerson]

    init(_ people: [CommentPerson]) {
        byID = Dictionary(people.map { ($0.id, $0) }) { first, _ in first }
        var byText: [String: CommentPerson] = [:]
        for person in people { if let name = person.name { byText[nameKey(name)] = person } }
        // Where one's name is another's address, the address counts.
        for person in people { if let email = person.email { byText[nameKey(email)] = person } }
        self.byText = byText
    }

    /// Whoever has this identifier; without a name when they are no user any more.
    func person(_ id: UserID) -> CommentPerson { byID[id] ?? CommentPerson(id: id, email: nil, name: nil) }

    /// `text` with every mention by an identifier.
    func resolved(_ text: String) -> String {
        Self.parts(text).map { part in
            guard let inside = part.mention, UserID(inside) == nil, let person = byText[nameKey(inside)] else {
                return part.text
            }
            return "@[\(person.id)]"
        }.joined()
    }

    /// Whom a resolved text mentions, each once.
    func mentioned(in text: String) -> [CommentPerson] {
        Self.parts(text).compactMap { $0.mention.flatMap { UserID($0) } }.distinct().compactMap { byID[$0] }
    }

    /// Pieces that make up `text`; a mention's are its own.
    private static func parts(_ text: String) -> [(text: String, mention: String?)] {
        var parts: [(String, String?)] = []
        var rest = text[...]
        // A bracket that never closes, or that holds another one, opens no mention.
        while let match = rest.firstMatch(of: /@\[([^\[\]]+)\]/) {
            parts.append((String(rest[..<match.range.lowerBound]), nil))
            parts.append((String(match.0), String(match.1)))
            rest = rest[match.range.upperBound...]
        }
        parts.append((String(rest), nil))
        return parts
    }
}
