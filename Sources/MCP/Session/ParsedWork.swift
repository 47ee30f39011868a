import Domain

/// A request that asks for work, its parameters checked.
struct ParsedWork {
    let work: Work
    let kind: ServerSession.InFlight.Kind

    /// - Returns: nil for a method that there is not, or not with these features.
    /// - Throws: `.invalidParams`.
    init?(_ request: Request, features: ServerFeatures) throws(ProtocolError) {
        let (method, params) = (request.method, request.params)
        switch method {
        case "tools/list":
            (work, kind) = (.listTools, .list(cursor: try params.cursor))
        case "tools/call":
            (work, kind) = (.callTool(try Self.toolCall(in: params)), .callTool)
        case "resources/list" where features.resources:
            (work, kind) = (.listResources, .list(cursor: try params.cursor))
        case "resources/templates/list" where features.resources:
            (work, kind) = (.listTemplates, .list(cursor: try params.cursor))
        case "resources/read" where features.resources:
            let uri = try params.text("uri", of: method)
            (work, kind) = (.readResource(uri: uri), .readResource(uri: uri))
        case "resources/subscribe" where features.resources && features.watching:
            let uri = try params.text("uri", of: method)
            (work, kind) = (.subscribe(uri: uri), .subscribe(uri: uri))
        case "prompts/list" where features.prompts:
            (work, kind) = (.listPrompts, .list(cursor: try params.cursor))
        case "prompts/get" where features.prompts:
            let arguments = try Self.texts("arguments", in: params)
            (work, kind) = (.getPrompt(name: try params.text("name", of: method), arguments: arguments), .getPrompt)
        case "completion/complete" where features.prompts || features.resources:
            (work, kind) = (try Self.completion(in: params), .complete)
        case "subscriptions/listen" where features.watching:
            let interest = try Self.interest(in: params, features)
            (work, kind) = (.listen(interest), .listen(interest))
        default:
            return nil
        }
    }

    /// Whether its work may ask the client for something.
    var mayAsk: Bool {
        switch kind {
        case .callTool, .readResource, .getPrompt: true
        case .list, .complete, .subscribe, .listen: false
        }
    }

    private static func toolCall(in params: JSONObject) throws(ProtocolError) -> ToolCall {
        let name = try params.text("name", of: "tools/call")
        guard let arguments = params["arguments"] else { return ToolCall(name: name, arguments: [:]) }
        guard let arguments = arguments.objectValue else {
            throw .invalidParams("'arguments' must be an object, not \(arguments.kindName)")
        }
        return ToolCall(name: name, arguments: arguments)
    }

    private static func texts(_ name: String, in params: JSONObject) throws(ProtocolError) -> [String: String] {
        guard let value = params[name] else { return [:] }
        guard let members = value.objectValue else {
            throw .invalidParams("'\(name)' must be an object, not \(value.kindName)")
        }
        var texts: [String: String] = [:]
        for (key, value) in members {
            guard let text = value.stringValue else {
                throw .invalidParams("'\(name)' must hold strings; '\(key.prefix(100))' is \(value.kindName)")
            }
            texts[key] = text
        }
        return texts
    }

    private static func completion(in params: JSONObject) throws(ProtocolError) -> Work {
        guard let reference = params["ref"]?.objectValue, let argument = params["argument"]?.objectValue else {
            throw .invalidParams("'completion/complete' needs 'ref' and 'argument', objects")
        }
        let context = params["context"] ?? .null
        guard context.isNull || context.objectValue != nil else {
            throw .invalidParams("'context' must be an object, not \(context.kindName)")
        }
        let question = CompletionQuestion(
            argument: try argument.text("name", of: "argument"),
            value: try argument.text("value", of: "argument"),
            others: try texts("arguments", in: context.objectValue ?? [:])
        )
        switch reference["type"]?.stringValue {
        case "ref/prompt": return .complete(question, .prompt(try reference.text("name", of: "ref")))
        case "ref/resource": return .complete(question, .resource(try reference.text("uri", of: "ref")))
        default: throw .invalidParams("'ref.type' must be 'ref/prompt' or 'ref/resource'")
        }
    }

    private static func interest(
        in params: JSONObject,
        _ features: ServerFeatures
    ) throws(ProtocolError) -> ChangeInterest {
        guard let wanted = params["notifications"]?.objectValue else {
            throw .invalidParams("'subscriptions/listen' needs 'notifications', an object")
        }
        func flag(_ name: String) throws(ProtocolError) -> Bool {
            guard let value = wanted[name], !value.isNull else { return false }
            guard let flag = value.boolValue else {
                throw .invalidParams("'\(name)' must be a boolean, not \(value.kindName)")
            }
            return flag
        }
        var uris: Set<String> = []
        if let value = wanted["resourceSubscriptions"], !value.isNull {
            guard let list = value.arrayValue else {
                throw .invalidParams("'resourceSubscriptions' must be an array, not \(value.kindName)")
            }
            for element in list {
                guard let uri = element.stringValue else {
                    throw .invalidParams("'resourceSubscriptions' must hold strings")
                }
                uris.insert(uri)
            }
        }
        guard uris.count <= Limits.mcpWatchedResources else {
            throw .invalidParams("At most \(Limits.mcpWatchedResources) resources may be watched")
        }
        return ChangeInterest(
            tools: try flag("toolsListChanged"),
            prompts: try flag("promptsListChanged") && features.prompts,
            resources: try flag("resourcesListChanged") && features.resources,
            uris: features.resources ? uris : []
        )
    }
}

extension JSONObject {
    /// A string that must be there.
    ///
    /// - Parameter method: what needs it, for the message.
    func text(_ name: String, of method: String) throws(ProtocolError) -> String {
        guard let value = self[name] else { throw .invalidParams("'\(method)' needs '\(name)', a string") }
        guard let text = value.stringValue else {
            throw .invalidParams("'\(name)' must be a string, not \(value.kindName)")
        }
        return text
    }

    var cursor: String? {
        get throws(ProtocolError) {
            guard let cursor = self["cursor"] else { return nil }
            guard let text = cursor.stringValue else {
                throw .invalidParams("'cursor' must be a string, not \(cursor.kindName)")
            }
            return text
        }
    }
}
