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
            members["requestedSchema"] = Self.formSchema(schema).json
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
            return Self.formSchema(schema).violations(of: content).isEmpty ? .accepted(filled) : nil
        default:
            throw .invalidParams("'action' of the answer to '\(question.key)' must be accept, decline or cancel")
        }
    }

    /// A form's schema has its fields, and nothing else that a schema may have.
    private static func formSchema(_ schema: JSONSchema) -> JSONSchema {
        guard let members = schema.json.objectValue else { return schema }
        return JSONSchema(json: .object(JSONObject(members.filter { formKeywords.contains($0.key) })))
    }

    private static let formKeywords: Set<String> = ["type", "properties", "required"]
}
