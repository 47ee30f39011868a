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
                        "description": "An API key. Make one with `pyairtable-ai key create`.",
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
            members["description"] = .string("Needs the permission `\(permission.rawValue)`.")
            members["security"] = [["key": []]]
        } else {
            members["security"] = []
        }
        members["x-permission"] = .string(route.permission?.rawValue ?? "public")
        let parameters = route.pattern.parameters.map(pathParameter) + route.query.map(queryParameter)
        if !parameters.isEmpty { members["parameters"] = .array(parameters) }
        if let body = route.body {
            members["requestBody"] = [
                "required": true,
                "content": ["application/json": content(body.shape)],
            ]
        }
        members["responses"] = .object(responses(route))
        return .object(members)
    }

    private static func tag(_ route: Route) -> String {
        let path = route.pattern.description
        if path.hasPrefix("/api/v1/airtable") { return "airtable" }
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
        for status in [HTTPResponse.Status.ok] + route.reply.otherStatuses {
            responses["\(status.code)"] = response(
                route.reply.description,
                contentType: route.reply.contentType,
                route.reply.shape.map(content) ?? ["schema": ["type": "string"]]
            )
        }
        for status in problemStatuses(route) where responses["\(status.code)"] == nil {
            responses["\(status.code)"] = response(
                ProblemStatus.title(of: status),
                contentType: Problem.contentType,
                ["schema": reference("Problem")]
            )
        }
        return responses
    }

    /// What the edge itself may answer on this route, and what the route adds.
    static func problemStatuses(_ route: Route) -> [HTTPResponse.Status] {
        var statuses: [HTTPResponse.Status] = [.badRequest, .uriTooLong, .internalServerError, .serviceUnavailable]
        statuses.append(.gatewayTimeout)
        if route.permission != nil { statuses += [.unauthorized, .forbidden] }
        if !route.pattern.parameters.isEmpty { statuses.append(.notFound) }
        if route.body != nil { statuses += [.contentTooLarge, .unsupportedMediaType, .unprocessableContent] }
        return Array(Set(statuses + route.problems)).sorted { $0.code < $1.code }
    }

    private static func response(_ description: String, contentType: String, _ content: JSONValue) -> JSONValue {
        [
            "description": .string(description),
            "headers": ["X-Request-Id": ["$ref": "#/components/headers/X-Request-Id"]],
            "content": .object([contentType: content]),
        ]
    }

    private static func content(_ shape: WireShape) -> JSONValue {
        ["schema": reference(shape.name), "example": shape.sample]
    }

    private static func reference(_ name: String) -> JSONValue { ["$ref": .string("#/components/schemas/\(name)")] }

    /// Every shape a route names, by name, each once.
    private static func schemas(_ routes: [Route]) -> JSONObject {
        var schemas: [String: JSONSchema] = ["Problem": Problem.schema]
        for shape in routes.flatMap({ [$0.body?.shape, $0.reply.shape] }).compactMap(\.self) {
            precondition(
                schemas[shape.name].map { $0 == shape.schema } ?? true,
                "two schemas are called \(shape.name)"
            )
            schemas[shape.name] = shape.schema
        }
        return JSONObject(schemas.sorted { $0.key < $1.key }.map { (key: $0.key, value: $0.value.json) })
    }
}
