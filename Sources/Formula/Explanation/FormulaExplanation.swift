public import Domain

/// What there is to say about a formula before any record is seen: its type, fields and functions; or what is wrong
/// with it, and where.
public struct FormulaExplanation: Sendable {
    public enum Verdict: Sendable {
        case valid(Formula, FormulaSchema)
        case invalid(FormulaError)
    }

    public let text: String
    public let verdict: Verdict

    /// - Parameter schema: nil when nobody told the fields: then every name is one, of a type that only a record shows.
    public init(_ text: String, schema: FormulaSchema?) {
        self.text = text
        do {
            let known = schema ?? FormulaSchema([])
            verdict = .valid(try Formula(text, schema: known), known)
        } catch {
            guard schema == nil, error.code == .unknownField else {
                verdict = .invalid(error)
                return
            }
            let assumed = FormulaSchema(error.unknownFields.map { FormulaField(name: $0, type: .any) })
            do {
                verdict = .valid(try Formula(text, schema: assumed), assumed)
            } catch {
                verdict = .invalid(error)
            }
        }
    }

    /// For people, in lines.
    public var report: String {
        switch verdict {
        case .invalid(let error):
            var lines = ["invalid: \(error.message)"]
            if let hint = error.hint { lines.append("hint: \(hint)") }
            return (lines + Self.marker(error.position, in: text)).joined(separator: "\n")
        case .valid(let formula, let schema):
            var lines = ["valid: gives \(formula.resultType.name)"]
            let fields = formula.referencedSlots.map { "{\(schema.fields[$0].name)} (\(schema.fields[$0].type.name))" }
            if !fields.isEmpty { lines.append("fields: \(fields.joined(separator: ", "))") }
            if !formula.functionNames.isEmpty {
                lines.append("functions: \(formula.functionNames.joined(separator: ", "))")
            }
            if formula.dependencies.contains(.now) { lines.append("changes with time") }
            if formula.dependencies.contains(.lastModifiedTime) { lines.append("changes with each edit it looks at") }
            return lines.joined(separator: "\n")
        }
    }

    public var json: JSONValue {
        switch verdict {
        case .invalid(let error):
            var members: JSONObject = [
                "valid": false, "code": .string(error.code.rawValue), "message": .string(error.message),
                "position": .number(JSONNumber(error.position)),
            ]
            if let hint = error.hint { members["hint"] = .string(hint) }
            if !error.unknownFields.isEmpty {
                members["unknownFields"] = .array(error.unknownFields.map { .string($0) })
            }
            return .object(members)
        case .valid(let formula, let schema):
            let fields = formula.referencedSlots.map { slot in
                (key: schema.fields[slot].name, value: JSONValue.string(schema.fields[slot].type.name))
            }
            return [
                "valid": true, "type": .string(formula.resultType.name), "fields": .object(JSONObject(fields)),
                "functions": .array(formula.functionNames.map { .string($0) }),
                "changesWithTime": .bool(formula.dependencies.contains(.now)),
                "changesWithEdits": .bool(formula.dependencies.contains(.lastModifiedTime)),
            ]
        }
    }

    /// The line of the text that holds `position`, cut to what fits a screen, and a mark below the place.
    static func marker(_ position: Int, in text: String) -> [String] {
        let scalars = Array(text.unicodeScalars)
        let place = min(position, scalars.count)
        let lineStart = scalars[..<place].lastIndex(of: "\n").map { $0 + 1 } ?? 0
        let lineEnd = scalars[place...].firstIndex(of: "\n") ?? scalars.count
        let first = max(lineStart, place - 50)
        let last = min(lineEnd, place + 30)
        var line = String.UnicodeScalarView()
        for scalar in scalars[first..<last] { line.append(scalar == "\t" || scalar == "\r" ? " " : scalar) }
        return ["  " + String(line), "  " + String(repeating: " ", count: place - first) + "^"]
    }
}
