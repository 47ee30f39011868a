import Domain

/// Questions to the client as the protocol writes them, and its answers read.
extension Shape {
    func method(of question: CallerQuestion) -> String {
        switch question.content {
        case .form: "elicitation/create"
        case .sampling: "sampling/createMessage"
        case .roots: "roots/list"
        }
    }

    func params(of question: CallerQuestion) -> JSONObject {
        switch question.content {
        case .form(let message, let schema):
            var members: JSONObject = [:]
            if revision.hasElicitationModes { members["mode"] = "form" }
            members["message"] = .string(HiddenText.visible(message))
            members["requestedSchema"] = formSchema(schema).json
            return members
        case .sampling(let params): return params
        case .roots: return [:]
        }
    }

    /// Reads what the client said to a question.
    ///
    /// - Returns: nil when a form was filled in wrongly: it is to be asked again.
    /// - Throws: `.invalidParams` for what is no answer at all.
    func answer(_ value: JSONValue, to question: CallerQuestion) throws(ProtocolError) -> CallerAnswer? {
        guard let members = value.objectValue else {
            throw .invalidParams("The answer to '\(question.key)' must be an object, not \(value.kindName)")
        }
        guard case .form(_, let schema) = question.content else {
            let needed = question.ability == .roots ? "roots" : "content"
            guard members[needed] != nil else {
                throw .invalidParams("The answer to '\(question.key)' must have '\(needed)'")
            }
            return .result(members)
        }
        switch members["action"]?.stringValue {
        case "decline": return .declined
        case "cancel": return .cancelled
        case "accept":
            let content = members["content"] ?? [:]
            guard case .object(let filled) = content else {
                throw .invalidParams("'content' of the answer to '\(question.key)' must be an object")
            }
            return formSchema(schema).violations(of: content).isEmpty ? .accepted(filled) : nil
        default:
            throw .invalidParams("'action' of the answer to '\(question.key)' must be accept, decline or cancel")
        }
    }

    /// A form's schema has its fields, and nothing else that a schema may have.
    private func formSchema(_ schema: JSONSchema) -> JSONSchema {
        guard let members = schema.json.objectValue else { return schema }
        var form = JSONObject(members.filter { Self.formKeywords.contains($0.key) })
        if !revision.hasElicitationModes, let fields = form["properties"]?.objectValue {
            let required = form["required"]?.arrayValue ?? []
            let known = fields.compactMap { name, field in
                Self.olderField(field, isRequired: required.contains(.string(name))).map { (name, $0) }
            }
            form["properties"] = .object(JSONObject(known))
        }
        return JSONSchema(json: .object(form))
    }

    /// A field as 2025-06-18 knows it: the titles of a choice stand beside its values, and of several values there is no choice.
    ///
    /// - Returns: nil for a field that can be left out.
    private static func olderField(_ field: JSONValue, isRequired: Bool) -> JSONValue? {
        guard var members = field.objectValue else { return field }
        if members["type"] == "array", !isRequired { return nil }
        guard let choices = members["oneOf"]?.arrayValue else { return field }
        members["oneOf"] = nil
        members["enum"] = .array(choices.compactMap { $0["const"] })
        members["enumNames"] = .array(choices.compactMap { $0["title"] ?? $0["const"] })
        return .object(members)
    }

    private static let formKeywords: Set<String> = ["type", "properties", "required"]
}
