import Access
import Airtable
import Chat
import Domain
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import TestSupport
import Testing

@testable import Gateway

@Suite("Route permissions")
struct PermissionTests {
    @Test("AUTHZ-01: every route works with the permission it declares and no other", arguments: DatabaseKind.allCases)
    func declared(_ kind: DatabaseKind) async throws {
        try await withGateway(kind) { fixture in
            for route in RouteTable.standard.routes where !Self.changesRecords(route) {
                try await expectWorks(route, fixture)
            }
        }
        // Each in bases of its own: what one of them does, another may not find as its example has it.
        for route in RouteTable.standard.routes where Self.changesRecords(route) {
            try await withGateway(kind) { fixture in try await expectWorks(route, fixture) }
        }
    }

    /// Where a sample needs more than the route's own permission: nobody gives what they do not have.
    private static let ownBodies = [
        "createGrant": #"{"subject": {"everybody": true}, "permissions": ["members:manage"], "resource": {}}"#,
        "createRole": #"{"name": "Managers", "permissions": ["members:manage"]}"#,
        "renameGroup": #"{"name": "Alchemists"}"#,
        "createInvite": #"{"email": "lise@example.com", "role": "guest"}"#,
    ]
    /// Where every body gives something.
    private static let given: [String: Set<Permission>] = ["setWorkspaceMember": Role.viewer.permissions]

    private static func changesRecords(_ route: Route) -> Bool {
        let path = route.pattern.description
        return route.method != .get && (path.hasPrefix("/v0/") || path.hasPrefix("/api/v1/airtable"))
    }

    private func expectWorks(_ route: Route, _ fixture: GatewayFixture) async throws {
        guard let permission = route.permission else { return }
        let server = fixture.server()
        // Made anew for each route: one of them deletes it.
        let run = try await fixture.answeredRun()
        if route.pattern.parameters.contains(.fieldIdOrName) { _ = try await fixture.filesField() }
        let view = try await fixture.airtable.createView(
            ViewDraft(name: "View \(ViewID.random())"),
            in: fixture.elements.id,
            context: fixture.owner
        )
        let comment = try await fixture.airtable.createComment(
            "Noble?",
            on: fixture.records[0].id,
            in: fixture.elements.id,
            context: fixture.owner
        )
        let iron = RecordUpdate(id: fixture.records[1].id, fields: ["State": "Gas"])
        _ = try await fixture.airtable.update([iron], in: fixture.elements.id, context: fixture.owner)
        let transaction = try await fixture.airtable.changes.latestSequence(tenant: fixture.owner.tenant)
        let user = try await fixture.access.createUser(
            name: "user \(UserID.random())",
            role: .guest,
            context: fixture.owner
        )
        var values: [PathParameter: String] = [
            .userId: user.id.description, .tenantId: fixture.owner.tenant.description,
            .baseId: fixture.base.id.description, .tableId: fixture.elements.id.description,
            .tableIdOrName: "elements", .recordId: fixture.records[0].id.description,
            .conversationId: run.conversation.description, .messageId: run.answer.description,
            .runId: run.id.description, .jobId: NotedEmbedding.id.description,
            .workspaceId: fixture.base.workspace.description,
            .fieldIdOrName: route.name.hasSuffix("ploadAttachment") ? "Files" : "State",
            .viewId: view.id.description, .commentId: comment.id.description, .transaction: "\(transaction)",
            .tool: "whoami",
            .grantId: try await fixture.grant().description, .roleId: try await fixture.role().description,
            .groupId: try await fixture.group().description,
            .choiceId: try #require(fixture.elements.field("State")?.options.choices?.last?.id.description),
        ]
        if route.name == "deleteWorkspace" {
            let empty = try await fixture.access.createWorkspace(name: "empty", context: fixture.owner)
            values[.workspaceId] = empty.id.description
        }
        if route.pattern.parameters.contains(.inviteId) {
            values[.inviteId] = try await fixture.invite().description
        }
        if route.name == "removeWorkspaceMember" {
            _ = try await fixture.access.setMember(
                user.id,
                role: .viewer,
                of: fixture.base.workspace,
                context: fixture.owner
            )
        }
        var path = route.pattern.description
        for parameter in route.pattern.parameters {
            let made = parameter == .webhookId ? try await fixture.webhook().description : nil
            let value = try #require(made ?? values[parameter], "a value for \(parameter)")
            path = path.replacing("{\(parameter.rawValue)}", with: value)
        }
        if route.name.hasSuffix("eleteRecords") { path += "?records[]=\(fixture.records[0].id)" }
        let body =
            try Self.ownBodies[route.name] ?? route.upload?.sample
            ?? route.body.map { body in String(decoding: try JSONCoder.encode(body.shape.sample), as: UTF8.self) }
        let contentType = route.upload == nil ? "application/json" : "text/csv"
        if route.name == "importTable" { path += "?table=Imported" }
        if route.name == "importBase" { path += "?name=Imported" }
        // Without a handshake a socket's address says that it is one.
        let status = route.reply.socket == nil ? route.reply.status : .upgradeRequired
        // A key of some bases makes none, and what is made or deleted once is not made or deleted again.
        let isOnce =
            route.method == .delete || route.reply.status == .created && permission == .membersManage
            || permission == .schemaWrite || route.name == "undoTransaction"
            // Nor has it any workspace whole.
            || route.name.contains("WorkspaceMember")
        for bases in isOnce ? [nil] : [nil, Set([fixture.base.id])] {
            let key = try await fixture.key(Self.given[route.name, default: []].union([permission]), bases: bases)
            let target = path
            try await server.publicApplication.test(.router) { client in
                let answer = try await client.send(
                    route.method,
                    target,
                    key: key,
                    body: body,
                    contentType: contentType
                )
                #expect(answer.status == status.code, "\(route.name) with \(permission.rawValue): \(answer.text)")
                if let shape = route.reply.shape, status != .upgradeRequired, let json = answer.json {
                    #expect(shape.schema.violations(of: json) == [], "\(route.name)")
                }
            }
        }
    }

    @Test("and still sees no more than its bases")
    func scope() async throws {
        try await withGateway { fixture in
            let other = try await fixture.airtable.createBase(name: "Other", tables: [], context: fixture.owner)
            let path = "/api/v1/airtable/bases/\(fixture.base.id)"
            let record = fixture.tablePath + "/records/\(fixture.records[0].id)"
            let routes: [(Permission, String)] = [
                (.basesRead, path), (.schemaRead, path + "/tables"), (.schemaRead, fixture.tablePath),
                (.recordsRead, fixture.tablePath + "/records"), (.recordsRead, record),
            ]
            for (permission, path) in routes {
                let key = try await fixture.key([permission], bases: [other.base.id])
                try await fixture.server().publicApplication.test(.router) { client in
                    let answer = try await client.send(.get, path, key: key)
                    #expect(answer.status == 404, "\(path)")
                }
            }
        }
    }
}
