public import Domain

/// A formula with the record to evaluate it for, as one JSON object:
/// `{"id", "formula", "fields"?, "types"?, "now"?, "timeZone"?}`, and of our own `"locale"?`, `"recordId"?`,
/// `"createdTime"?`, `"lastModifiedTime"?`.
public struct FormulaQuestion: Sendable {
    /// What is wrong with a question that is not its formula.
    struct Problem: Error {
        let message: String
    }

    /// Whatever the asker wants to find in the answer.
    public var id: JSONValue
    public var formula: String
    public var schema: FormulaSchema
    public var record: FormulaRecord
    public var environment: FormulaEnvironment

    /// Answers one line of JSON with one line (without its end), whatever it holds.
    ///
    /// - Parameter now: for questions that do not say when they are.
    public static func answer(line: some Sequence<UInt8>, now: Instant) -> [UInt8] {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: Array(line))
        } catch {
            return invalid(.null, "This line is not JSON: \(error.message)").encoded()
        }
        return answer(value, now: now).encoded()
    }

    /// `{"id", "value"}`; with `{"error": "INVALID"}` for the value, also `message` and, where it is the formula that is
    /// wrong, `position` and perhaps `hint`.
    public static func answer(_ value: JSONValue, now: Instant) -> JSONValue {
        let id = value["id"] ?? .null
        do {
            let question = try FormulaQuestion(value, now: now)
            let formula = try Formula(question.formula, schema: question.schema)
            return ["id": id, "value": formula.evaluate(question.record, in: question.environment).cell]
        } catch let error as FormulaError {
            var members = invalid(id, error.message).objectValue ?? [:]
            members["position"] = .number(JSONNumber(error.position))
            if let hint = error.hint { members["hint"] = .string(hint) }
            return .object(members)
        } catch let problem as Problem {
            return invalid(id, problem.message)
        } catch {
            return invalid(id, "This question could not be read.")
        }
    }

    private static func invalid(_ id: JSONValue, _ message: String) -> JSONValue {
        ["id": id, "value": ["error": "INVALID"], "message": .string(message)]
    }

    init(_ value: JSONValue, now: Instant) throws(Problem) {
        guard let members = value.objectValue else {
            throw Problem(message: "Expected an object with a formula, found a JSON \(value.typeName).")
        }
        id = members["id"] ?? .null
        guard let formula = members["formula"]?.stringValue else {
            throw Problem(message: "Expected a text under \"formula\".")
        }
        self.formula = formula
        let fields = try Self.object(members, "fields")
        let types = try Self.object(members, "types")
        (schema, record) = try FormulaRecord.reading(fields: fields, types: types)
        record.recordID = try Self.text(members, "recordId")
        record.createdTime = try Self.instant(members, "createdTime")
        record.modifiedTime = try Self.instant(members, "lastModifiedTime")
        environment = FormulaEnvironment(
            now: try Self.instant(members, "now") ?? now,
            timeZone: try Self.text(members, "timeZone"),
            locale: try Self.text(members, "locale")
        )
    }

    /// The schema that a `types` object describes, for those who have no record.
    ///
    /// - Throws: `FormulaError` `.argumentType` for a type that does not exist.
    public static func schema(types: JSONObject) throws(FormulaError) -> FormulaSchema {
        do {
            return try FormulaRecord.reading(fields: [:], types: types).schema
        } catch {
            throw FormulaError(.argumentType, error.message, at: 0)
        }
    }

    static func type(_ value: JSONValue, of name: String) throws(Problem) -> FormulaType {
        if let type = FormulaType(field: value) { return type }
        let told = (value.stringValue ?? value["type"]?.stringValue).map { String($0.prefix(60)) } ?? value.typeName
        let nearest = Spelling.nearest(to: told, among: FormulaType.airtableTypes)
        let hint = nearest.map { "; did you mean \($0)?" } ?? "."
        throw Problem(message: "Unknown field type \(told) of \(name.prefix(60))\(hint)")
    }

    private static func object(_ members: JSONObject, _ key: String) throws(Problem) -> JSONObject {
        guard let value = members[key], !value.isNull else { return [:] }
        guard let object = value.objectValue else {
            throw Problem(message: "Expected an object under \"\(key)\", found a JSON \(value.typeName).")
        }
        return object
    }

    private static func text(_ members: JSONObject, _ key: String) throws(Problem) -> String? {
        guard let value = members[key], !value.isNull else { return nil }
        guard let text = value.stringValue else {
            throw Problem(message: "Expected a text under \"\(key)\", found a JSON \(value.typeName).")
        }
        return text
    }

    private static func instant(_ members: JSONObject, _ key: String) throws(Problem) -> Instant? {
        guard let text = try text(members, key) else { return nil }
        guard let instant = Instant(iso8601: text) else {
            throw Problem(message: "Expected a time like 2024-05-01T12:00:00Z under \"\(key)\".")
        }
        return instant
    }
}
