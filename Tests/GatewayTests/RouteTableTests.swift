import Domain
import Foundation
import HTTPTypes
import TestSupport
import Testing

@testable import Gateway

@Suite("Route table")
struct RouteTableTests {
    /// Everything else needs a key. A route is added here on purpose only.
    private static let open = [
        "/", "/page.css", "/chat.css", "/page.js", "/chat.js", "/answer.js", "/markup.js", "/api.js", "/icon.svg",
        "/docs", "/docs.css", "/docs.js", "/openapi.json", "/health", "/ready",
        // The refresh token is the proof, and the keys are public.
        "/api/v1/auth/refresh", "/.well-known/jwks.json",
        // Says where one gets what opens /mcp.
        "/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp",
        // Nobody is known yet; all are limited by where they are called from.
        "/api/v1/auth/register", "/api/v1/auth/login", "/api/v1/auth/verify", "/api/v1/auth/password/forgot",
        "/api/v1/auth/password/reset", "/api/v1/auth/invites/accept",
        // The link is the permission.
        "/attachments/{tenantId}/{attachmentId}/{expires}/{signature}/{filename}",
    ]

    /// Whoever is known may call these. What they answer depends on who it is.
    private static let anyKey = [
        "/mcp", "/v0/meta/whoami",
        // Each tool asks for its own permission.
        "/api/v1/tools", "/api/v1/tools/{tool}",
        // Of oneself; of others they ask for members:manage.
        "/api/v1/permissions/check", "/api/v1/permissions/explain", "/api/v1/permissions/objects",
    ]
    /// About oneself: whoever signed in may, and no key.
    private static let signedIn: Set = [
        "logOut", "logOutEverywhere", "listSessions", "endSession", "issueToken", "updateMe", "changePassword",
        "changeEmail",
        "listTenants", "enterTenant", "acceptInviteSignedIn", "exportMe",
    ]

    @Test("AUTHZ-01: every route needs a permission, but for those that are open on purpose")
    func permissions() {
        for route in RouteTable.standard.routes {
            let isOpen = Self.open.contains(route.pattern.description)
            #expect(route.isOpen == isOpen, "\(route.method) \(route.pattern)")
            let path = route.pattern.description
            // Whose key it is, or whose tenant, is looked at by the handler.
            let takesAnyKey =
                Self.anyKey.contains(path) || path.hasPrefix("/api/v1/api-keys")
                || ["getTenant", "getMe"].contains(route.name) || path.hasPrefix("/api/v1/admin/")
            let isSignedIn = Self.signedIn.contains(route.name)
            #expect(route.isForOperators == path.hasPrefix("/api/v1/admin/"))
            #expect((route.permission == nil) == (isOpen || takesAnyKey || isSignedIn))
            #expect((route.permissionText == "session") == isSignedIn)
        }
        #expect(RouteTable.standard.routes.count(where: \.isOpen) == Self.open.count)
    }

    @Test("is as the snapshot has it")
    func snapshot() throws {
        let lines = RouteTable.standard.routes.map { route in
            let body = route.body.map { " takes \($0.shape.name)" } ?? (route.upload == nil ? "" : " takes a file")
            let query = route.query.isEmpty ? "" : " ?\(route.query.map(\.name).joined(separator: "&"))"
            let events = route.reply.events.map { "events of \($0.name)" }
            let socket = route.reply.socket.map { "a socket of \($0.client.name) and \($0.server.name)" }
            let whole = route.reply.shape?.name ?? (events == nil ? route.reply.contentType : nil)
            let reply = socket ?? [whole, events].compactMap(\.self).joined(separator: " or ")
            let permission = route.permissionText
            return
                "\(route.method) \(route.pattern)\(query)\(body) gives \(reply.isEmpty ? "nothing" : reply) [\(permission)] \(route.name)"
        }
        try expectSnapshot("routes.txt", lines.joined(separator: "\n") + "\n")
    }

    @Test("the API document is as the snapshot has it")
    func documentSnapshot() throws {
        var writer = JSONWriter(layout: .indented)
        writer.value(OpenAPIDocument.json(of: RouteTable.standard.routes))
        let text = String(decoding: try writer.finish(), as: UTF8.self)
        try expectSnapshot("openapi.json", text + "\n")
    }

    @Test("names are unique, and the document has every route and no other")
    func document() throws {
        let routes = RouteTable.standard.routes
        #expect(Set(routes.map(\.name)).count == routes.count)
        let document = try JSONValue(parsing: RouteTable.standard.document)
        #expect(document["openapi"] == "3.1.0")
        let paths = try #require(document["paths"]?.objectValue)
        var operations = 0
        for (path, item) in paths {
            for (method, operation) in try #require(item.objectValue) {
                operations += 1
                let route = try #require(
                    routes.first { $0.pattern.description == path && $0.method.rawValue.lowercased() == method }
                )
                #expect(operation["operationId"]?.stringValue == route.name)
                let needed = route.permissionText
                #expect(operation["x-permission"]?.stringValue == needed)
                #expect(operation["security"]?.arrayValue?.isEmpty == route.isOpen)
                let named =
                    operation["parameters"]?.arrayValue?.filter { $0["in"] != "header" }
                    .compactMap { $0["name"]?.stringValue } ?? []
                #expect(named == route.pattern.parameters.map(\.rawValue) + route.query.map(\.name))
            }
        }
        #expect(operations == routes.count)
    }

    @Test("every reference in the document leads somewhere, and no schema is left over")
    func references() throws {
        let document = try JSONValue(parsing: RouteTable.standard.document)
        var found: Set<String> = []
        func visit(_ value: JSONValue) {
            for element in value.arrayValue ?? [] { visit(element) }
            for (key, member) in value.objectValue ?? JSONObject() {
                if key == "$ref", let text = member.stringValue { found.insert(text) } else { visit(member) }
            }
        }
        visit(document)
        let schemas = try #require(document["components"]?["schemas"]?.objectValue)
        for reference in found where reference.hasPrefix("#/components/schemas/") {
            #expect(schemas[String(reference.dropFirst(21))] != nil, "\(reference)")
        }
        for (name, _) in schemas { #expect(found.contains("#/components/schemas/\(name)"), "\(name)") }
    }

    @Test("every example in the document fits its schema")
    func samples() throws {
        var shapes = 0
        for route in RouteTable.standard.routes {
            for shape in route.shapes {
                shapes += 1
                #expect(shape.schema.violations(of: shape.sample) == [], "\(shape.name)")
                #expect(shape.sample.objectValue?.isEmpty == false)
            }
        }
        #expect(shapes >= 8)
    }

    @Test("HEAD goes where GET goes, and other methods are named")
    func matching() throws {
        let table = RouteTable.standard
        let get = try table.match(.get, "/api/v1/airtable/bases")
        #expect(try table.match(.head, "/api/v1/airtable/bases").position == get.position)
        do throws(GatewayError) {
            _ = try table.match(.delete, "/api/v1/airtable/bases")
            Issue.record("DELETE was matched")
        } catch {
            #expect(error.code == .methodNotAllowed)
            #expect(error.allowedMethods == ["GET", "HEAD", "OPTIONS", "POST"])
        }
        do throws(GatewayError) {
            _ = try table.match(.get, "/api/v1/search")
            Issue.record("GET was matched")
        } catch {
            #expect(error.allowedMethods == ["OPTIONS", "POST"])
        }
    }

    @Test(
        "anything that is not exactly a path is not found",
        arguments: [
            "", "*", "health", "//health", "/health/", "/Health", "/api", "/api/v1", "/api/v1/airtable/bases/",
            "/api/v1/airtable//bases", "/api/v1/airtable/bases/a/b", "/../health", "/./health", "/page.css/x",
        ]
    )
    func noMatch(_ path: String) {
        do throws(GatewayError) {
            _ = try RouteTable.standard.match(.get, path[...])
            Issue.record("\(path) was matched")
        } catch {
            #expect(error.code == .notFound)
        }
    }

    /// Compares with a file beside this one. `PYAIRTABLE_REWRITE_SNAPSHOTS=1` writes it; a missing one fails.
    private func expectSnapshot(_ name: String, _ text: String) throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Snapshots/\(name)")
        if ProcessInfo.processInfo.environment["PYAIRTABLE_REWRITE_SNAPSHOTS"] == "1" {
            try Data(text.utf8).write(to: file)
        }
        let expected = try #require(
            try? String(contentsOf: file, encoding: .utf8),
            "the snapshot \(name) is missing; write it with PYAIRTABLE_REWRITE_SNAPSHOTS=1"
        )
        #expect(text == expected, "rewrite \(name) with PYAIRTABLE_REWRITE_SNAPSHOTS=1 when the change is meant")
    }
}
