import Domain

/// Fills a script's `{{…}}` in from the conversation, so that scripted steps work on real identifiers.
///
/// A source is `user` (the newest user message) or a tool's name (its newest result), and what is taken of it is
///
/// - nothing more, `{{user}}`: all of it;
/// - a kind of identifier and a position, `{{search_records rec 0}}`: the first record named there;
/// - a JSON pointer, `{{list_tables /tables/0/id}}`: that value, when the result is JSON. A string that is nothing else
///   becomes the value itself, such as a number;
/// - a regular expression, `{{search_records ~ score ([0-9.]+)}}`: its first group, or its match.
struct ScriptTemplate {
    let messages: [ModelMessage]

    func filled(_ value: JSONValue) throws -> JSONValue {
        switch value {
        case .string(let text):
            if text.hasPrefix("{{"), text.hasSuffix("}}"), !text.dropFirst(2).contains("{{") {
                return try self.value(of: text.dropFirst(2).dropLast(2))
            }
            return .string(try filled(text))
        case .array(let elements): return .array(try elements.map(filled))
        case .object(let members):
            return .object(JSONObject(try members.map { ($0.key, try filled($0.value)) }))
        default: return value
        }
    }

    func filled(_ text: String) throws -> String {
        var result = ""
        var rest = text[...]
        while let start = rest.firstRange(of: "{{"), let end = rest[start.upperBound...].firstRange(of: "}}") {
            result += rest[..<start.lowerBound]
            let value = try value(of: rest[start.upperBound..<end.lowerBound])
            result += value.stringValue ?? value.text
            rest = rest[end.upperBound...]
        }
        return result + rest
    }

    private func value(of template: Substring) throws -> JSONValue {
        let words = template.split(separator: " ", maxSplits: 1)
        guard let name = words.first, let source = source(String(name)) else { throw unfilled(template) }
        guard words.count > 1 else { return .string(source) }
        let what = words[1]
        if what.hasPrefix("/") {
            guard let value = (try? JSONValue(parsing: source)).flatMap({ Self.value(at: what, in: $0) }) else {
                throw unfilled(template)
            }
            return value
        }
        if what.hasPrefix("~") {
            let pattern = String(what.dropFirst().drop { $0 == " " })
            guard let regex = try? Regex(pattern), let match = source.firstMatch(of: regex) else {
                throw unfilled(template)
            }
            let found = match.count > 1 ? match[1].substring ?? match[0].substring : match[0].substring
            return .string(String(found ?? ""))
        }
        let parts = what.split(separator: " ")
        guard parts.count == 2, let position = Int(parts[1]) else { throw unfilled(template) }
        let found = Self.identifiers(String(parts[0]), in: source)
        guard found.indices.contains(position) else { throw unfilled(template) }
        return .string(found[position])
    }

    private func source(_ name: String) -> String? {
        if name == "user" { return messages.last { $0.role == .user }?.newestText }
        for message in messages.reversed() {
            for case .toolResult(let result) in message.parts.reversed() where result.name == name {
                return Self.withoutFence(result.text)
            }
        }
        return nil
    }

    private static func withoutFence(_ text: String) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let first = lines.first, first.hasPrefix("<data-"),
            let last = lines.lastIndex(where: { $0.hasPrefix("</data-") })
        else { return text }
        return lines[1..<last].joined(separator: "\n")
    }

    private static func value(at pointer: Substring, in value: JSONValue) -> JSONValue? {
        var value = value
        for step in pointer.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            let key = step.replacing("~1", with: "/").replacing("~0", with: "~")
            guard let next = Int(key).flatMap({ value[$0] }) ?? value[String(key)] else { return nil }
            value = next
        }
        return value
    }

    /// Different ones, in the order in which they are named.
    private static func identifiers(_ prefix: String, in text: String) -> [String] {
        var found: [String] = []
        let isPart = { (character: Character) in
            character.isASCII && (character.isLetter || character.isNumber)
        }
        for word in text.split(whereSeparator: { !isPart($0) })
        where word.count == 17 && word.hasPrefix(prefix) && !found.contains(String(word)) {
            found.append(String(word))
        }
        return found
    }

    private func unfilled(_ template: Substring) -> ModelError {
        ModelError(.malformedReply, "the script's {{\(template)}} finds nothing in this conversation")
    }
}

extension ModelMessage {
    /// Its last text: of a user's turn the question, behind the records that were found for it.
    var newestText: String {
        for case .text(let text) in parts.reversed() { return text }
        return ""
    }
}
