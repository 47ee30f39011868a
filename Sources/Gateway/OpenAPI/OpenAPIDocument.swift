import Domain
import HTTPTypes

/// The API document: OpenAPI 3.1 rendered from the route table, so that it cannot say anything else.
enum OpenAPIDocument {
    static func json(of routes: [Route]) -> JSONValue {
        var paths = JSONObject()
        for route in routes {
            let path = route.pattern.description
            var item = paths[path]?.objectValue ?? JSONObject()
            item[route.method.rawValue.lowercased()] = operation(route)
            paths[path] = .object(item)
        }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "pyairtable-ai",
                "version": "1",
                "description": "Semantic search over Airtable bases. Errors are problem documents (RFC 9457).",
                "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
            ],
            "servers": [["url": "/"]],
            "tags": [
                ["name": "search", "description": "Finding records by meaning and by words."],
                ["name": "airtable", "description": "Bases, tables and records."],
                ["name": "chat", "description": "Conversations, the runs that answer, and their events."],
                ["name": "mcp", "description": "The Model Context Protocol over HTTP, for AI clients."],
                ["name": "airtable-v0", "description": "Airtable's own Web API. Errors have its shapes."],
                ["name": "openai", "description": "OpenAI's dialect over the same models. Errors have its shape."],
                ["name": "audit", "description": "Who did what."],
                ["name": "server", "description": "The server itself and its page."],
            ],
            "paths": .object(paths),
            "components": [
                "schemas": .object(schemas(routes)),
                "securitySchemes": [
                    "key": [
                        "type": "http",
                        "scheme": "bearer",
                        "bearerFormat": "pat_live_…",
                        "description": "An API key (`pyairtable-ai key create`), or the access token of a session.",
                    ]
                ],
                "headers": [
                    "X-Request-Id": [
                        "description": "Names this request in the server's log.",
                        "schema": ["type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$"],
                    ]
                ],
            ],
        ]
    }

    private static func operation(_ route: Route) -> JSONValue {
        var members: JSONObject = [
            "operationId": .string(route.name),
            "summary": .string(route.summary),
            "tags": [.string(tag(route))],
        ]
        if let permission = route.permission {
            let place = route.permissionAtDoor == nil ? ", in the part of the tenant that it is about" : ""
            members["description"] = .string("Needs the permission `\(permission.rawValue)`\(place).")
            members["security"] = [["key": []]]
        } else if route.isOpen {
            members["security"] = []
        } else {
            members["description"] =
                switch route.handler {
                case .signedIn: "Needs an access token."
                case .operates: "For operators of the server only."
                case .authenticated: "Needs a key."
                default: "Needs a key; each tool asks for its own permission."
                }
            members["security"] = [["key": []]]
        }
        members["x-permission"] = .string(route.permissionText)
        let parameters =
            route.pattern.parameters.map(pathParameter) + route.query.map(queryParameter) + headerParameters(route)
        if !parameters.isEmpty { members["parameters"] = .array(parameters) }
        if let body = route.body {
            members["requestBody"] = [
                "required": true,
                "content": ["application/json": content(body.shape)],
            ]
        }
        if route.upload != nil {
            let content = RouteUpload.endings.keys.sorted().map {
                // A file is no value, so nothing is said of its shape.
                (key: $0, value: [:] as JSONValue)
            }
            members["requestBody"] = ["required": true, "content": .object(JSONObject(content))]
        }
        if let socket = route.reply.socket {
            members["x-socket"] = [
                "client": reference(socket.client.name), "clientExample": socket.client.sample,
                "server": reference(socket.server.name), "serverExample": socket.server.sample,
            ]
        }
        members["responses"] = .object(responses(route))
        return .object(members)
    }

    private static func tag(_ route: Route) -> String {
        let path = route.pattern.description
        if path.hasPrefix("/api/v1/airtable") { return "airtable" }
        if path.hasPrefix("/api/v1/chat") { return "chat" }
        if path.hasPrefix("/api/v1/audit") { return "audit" }
        if path == "/mcp" { return "mcp" }
        if OpenAIProblem.covers(path) { return "openai" }
        if AirtableProblem.covers(path) { return "airtable-v0" }
        if path == AttachmentRoutes.path { return "airtable" }
        return path.hasPrefix("/api/v1/search") ? "search" : "server"
    }

    private static func pathParameter(_ parameter: PathParameter) -> JSONValue {
        [
            "name": .string(parameter.rawValue),
            "in": "path",
            "required": true,
            "schema": parameter.schema.json,
        ]
    }

    private static func headerParameters(_ route: Route) -> [JSONValue] {
        var headers: [(name: String, description: String)] = []
        if route.takesIdempotencyKey {
            headers.append(("Idempotency-Key", "Names the request, so that it is done once however often it is sent."))
        }
        if route.method == .get, route.showsOneThing, !route.isOpen {
            headers.append(("If-None-Match", "Answers 304 when the ETag is still this one."))
        }
        if route.takesIfMatch { headers.append(("If-Match", "Only when the ETag is still this one; else 412.")) }
        return headers.map { header in
            [
                "name": .string(header.name), "in": "header", "required": false,
                "description": .string(header.description), "schema": ["type": "string"],
            ]
        }
    }

    private static func queryParameter(_ parameter: QueryParameter) -> JSONValue {
        [
            "name": .string(parameter.name),
            "in": "query",
            "required": false,
            "description": .string(parameter.description),
            "schema": parameter.schema.json,
        ]
    }

    private static func responses(_ route: Route) -> JSONObject {
        var responses = JSONObject()
        let reply = route.reply
        for status in [reply.status] + reply.otherStatuses {
            responses["\(status.code)"] = response(
                reply.description,
                contentType: reply.contentType,
                [.noContent, .switchingProtocols, .notModified].contains(status) || reply.contentType.isEmpty
                    ? nil
                    : reply.shape.map(content) ?? reply.events.map(eventContent) ?? ["schema": ["type": "string"]],
                besides: reply.otherContentType.map { ($0, ["schema": ["type": "string"]]) }
            )
        }
        if let shape = reply.shape, let events = reply.events {
            responses["200"] = response(
                reply.description,
                contentType: ServerSentEvent.contentType,
                eventContent(events),
                besides: reply.status == .ok ? ("application/json", content(shape)) : nil
            )
        }
        for status in reply.emptyStatuses {
            responses["\(status.code)"] = response("Accepted; there is nothing to answer.", contentType: "", nil)
        }
        if route.method == .get, route.showsOneThing, !route.isOpen {
            responses["304"] = response("As `If-None-Match` names it.", contentType: "", nil)
        }
        let dialect = dialect(route)
        for status in problemStatuses(route) where responses["\(status.code)"] == nil {
            responses["\(status.code)"] = response(
                ProblemStatus.title(of: status),
                contentType: dialect == nil ? Problem.contentType : "application/json",
                ["schema": reference(dialect ?? "Problem")],
                besides: protocolError(route)
            )
        }
        return responses
    }

    /// What the protocol behind a route answers in place of a problem document.
    private static func protocolError(_ route: Route) -> (contentType: String, content: JSONValue)? {
        guard case .mcp = route.handler else { return nil }
        return ("application/json", ["schema": reference(MCPMessageWire.schemaName)])
    }

    /// The schema of errors on a path that does not answer with problem documents.
    private static func dialect(_ route: Route) -> String? {
        let path = route.pattern.description
        if OpenAIProblem.covers(path) { return "OpenAIError" }
        return AirtableProblem.covers(path) ? "AirtableError" : nil
    }

    /// What the edge itself may answer on this route, and what the route adds.
    static func problemStatuses(_ route: Route) -> [HTTPResponse.Status] {
        if AirtableProblem.covers(route.pattern.description) { return AirtableProblem.statuses(of: route) }
        var statuses: [HTTPResponse.Status] = [.badRequest, .uriTooLong, .internalServerError, .serviceUnavailable]
        statuses.append(.gatewayTimeout)
        if route.reply.shape != nil || route.reply.contentType == "application/json" { statuses.append(.notAcceptable) }
        if route.cost != .free { statuses.append(.tooManyRequests) }
        if !route.isOpen { statuses += [.unauthorized, .forbidden] }
        if !route.pattern.parameters.isEmpty { statuses.append(.notFound) }
        if route.takesIfMatch { statuses.append(.preconditionFailed) }
        if route.takesIdempotencyKey { statuses += [.conflict, .unprocessableContent] }
        if route.upload != nil { statuses += [.contentTooLarge, .unsupportedMediaType] }
        if let body = route.body {
            statuses += [.contentTooLarge, .unsupportedMediaType]
            if body.isChecked { statuses.append(.unprocessableContent) }
        }
        return Array(Set(statuses + route.problems)).sorted { $0.code < $1.code }
    }

    /// - Parameters:
    ///   - content: nil for an answer without a body.
    ///   - other: what the same status may have in place of it.
    private static func response(
        _ description: String,
        contentType: String,
        _ content: JSONValue?,
        besides other: (contentType: String, content: JSONValue)? = nil
    ) -> JSONValue {
        var members: JSONObject = [
            "description": .string(description),
            "headers": ["X-Request-Id": ["$ref": "#/components/headers/X-Request-Id"]],
        ]
        var contents = JSONObject()
        if let other { contents[other.contentType] = other.content }
        contents[contentType] = content
        if !contents.isEmpty { members["content"] = .object(contents) }
        return .object(members)
    }

    private static func content(_ shape: WireShape) -> JSONValue {
        ["schema": reference(shape.name), "example": shape.sample]
    }

    /// A stream is text; OpenAPI 3.1 has no word for what its events hold, so the data's schema stands beside it.
    private static func eventContent(_ shape: WireShape) -> JSONValue {
        ["schema": ["type": "string"], "x-event-data": reference(shape.name), "x-event-example": shape.sample]
    }

    private static func reference(_ name: String) -> JSONValue { ["$ref": .string("#/components/schemas/\(name)")] }

    /// Every shape a route names, by name, each once.
    private static func schemas(_ routes: [Route]) -> JSONObject {
        var schemas: [String: JSONSchema] = ["Problem": Problem.schema]
        if routes.contains(where: { OpenAIProblem.covers($0.pattern.description) }) {
            schemas["OpenAIError"] = OpenAIProblem.schema
        }
        if routes.contains(where: { AirtableProblem.covers($0.pattern.description) }) {
            schemas["AirtableError"] = AirtableProblem.schema
        }
        for shape in routes.flatMap({ $0.shapes }) {
            precondition(
                schemas[shape.name].map { $0 == shape.schema } ?? true,
                "two schemas are called \(shape.name)"
            )
            schemas[shape.name] = shape.schema
        }
        return JSONObject(schemas.sorted { $0.key < $1.key }.map { (key: $0.key, value: $0.value.json) })
    }
}
