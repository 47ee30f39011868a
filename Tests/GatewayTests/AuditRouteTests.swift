import Database
import Domain
import HTTPTypes
import HummingbirdTesting
import TestSupport
import Testing

@testable import Access
@testable import Gateway

@Suite("Audit log by HTTP")
struct AuditRouteTests {
    private static let path = "/api/v1/audit"

    @Test("AUD-01: a refusal, a key's use, an export and a stranger leave entries with request and reason")
    func entries() async throws {
        try await withGateway { fixture in
            let reader = try await fixture.access.createKey(
                APIKeyDraft(name: "reader", scopes: [.recordsRead, .basesRead]),
                context: fixture.owner
            )
            try await fixture.server().publicApplication.test(.router) { client in
                let exported = try await client.send(.get, "\(fixture.tablePath)/export", key: reader.text)
                #expect(exported.status == 200)
                let denied = try await client.send(.get, Self.path, key: reader.text)
                #expect(denied.status == 403)
                for _ in 0..<3 { _ = try await client.send(.get, Self.path, key: "pat_live_nobody") }

                let page = try await client.send(.get, Self.path, key: fixture.key)
                #expect(page.status == 200)
                let entries = try #require(page.json?["entries"]?.arrayValue)
                func entry(_ action: String) throws -> JSONValue {
                    try #require(entries.first { $0["action"] == .string(action) }, "\(action) in \(page.text)")
                }
                let refusal = try entry("access.denied")
                #expect(refusal["result"] == "refused")
                #expect(refusal["key"] == .string(reader.key.id.description))
                #expect(refusal["user"] == .string(fixture.owner.principal.user.description))
                #expect(refusal["object"] == ["kind": "route", "id": "GET /api/v1/audit"])
                #expect(refusal["details"]?["permission"] == "audit:read")
                let requestID = try #require(denied.headers[RequestIdentifier.header])
                #expect(refusal["request"] == .string(requestID))
                let export = try entry("data.exported")
                #expect(export["object"] == ["kind": "table", "id": .string(fixture.elements.id.description)])
                #expect(export["details"] == ["records": "3", "tables": "1"])
                #expect(try entry("key.used")["origin"] == "http")

                // Nobody's tenant: not in this one's log.
                #expect(!entries.contains { $0["action"] == "auth.refused" })
                let strangers = try await fixture.access.audit.store.rows(of: .server, after: 0, limit: 10)
                #expect(strangers.count == 1)
                let stranger = try #require(strangers.first.flatMap { AuditEntry($0, of: .server) }?.event)
                #expect(stranger.action == .refused && stranger.user == nil)
                #expect(stranger.details[.reason] == "neither key nor token")
            }
        }
    }

    @Test("AUD-05: filters, pages and refuses what is no filter")
    func filters() async throws {
        try await withGateway { fixture in
            for number in 0..<5 {
                _ = try await fixture.access.createKey(
                    APIKeyDraft(name: "key \(number)", scopes: [.search]),
                    context: fixture.owner
                )
            }
            try await fixture.server().publicApplication.test(.router) { client in
                func list(_ query: String) async throws -> Answer {
                    try await client.send(.get, "\(Self.path)?\(query)", key: fixture.key)
                }
                func sequences(_ answer: Answer) -> [Int] {
                    answer.json?["entries"]?.arrayValue?.compactMap { $0["sequence"]?.intValue } ?? []
                }
                let all = try await list("action=key.created")
                #expect(sequences(all).count == 6)
                let first = try await list("action=key.created&limit=4")
                let next = try #require(first.json?["next"]?.intValue)
                let second = try await list("action=key.created&limit=4&before=\(next)")
                #expect(sequences(first) + sequences(second) == sequences(all))
                #expect(second.json?["next"] == nil)
                #expect(sequences(try await list("user=\(fixture.owner.principal.user)")).count >= 6)
                #expect(sequences(try await list("user=\(UserID.random())")).isEmpty)
                #expect(sequences(try await list("until=2020-01-01")).isEmpty)
                #expect(sequences(try await list("object=%27%20OR%201=1")).isEmpty)
                for bad in [
                    "action=everything", "user=me", "key=x", "from=yesterday", "limit=0", "limit=1000", "before=0",
                    "result=good", "object=", "tenant=\(TenantID.random())", "object=%00",
                ] {
                    let refused = try await list(bad)
                    #expect(refused.status == 400, "\(bad)")
                    #expect(refused.code == "invalidParameter", "\(bad)")
                }
            }
        }
    }

    @Test("AUD-05: an export has every entry with its hash, and can be checked by whoever has it")
    func export() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                let answer = try await client.send(.get, "\(Self.path)/export", key: fixture.key)
                #expect(answer.status == 200)
                #expect(answer.headers[.contentType] == "application/x-ndjson")
                let lines = answer.text.split(separator: "\n").map { Array($0.utf8) }
                #expect(lines.count >= 2)
                var hash = AuditEntry.genesis(.tenant(fixture.owner.tenant))
                for line in lines {
                    let json = try JSONValue(parsing: line)
                    let body = try #require(json["entry"])
                    hash = AuditEntry.hash(hash, body.encoded())
                    #expect(json["hash"] == .string(hash.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()))
                }
                let page = try await client.send(.get, "\(Self.path)?limit=1", key: fixture.key)
                #expect(page.json?["entries"]?[0]?["action"] == "audit.exported")
            }
        }
    }
}

@Suite("Secrets stay out of logs, metrics and the audit log")
struct SecretTracesTests {
    /// Words that stand nowhere else: in keys, bodies, cells, queries and headers.
    private static let marks = [
        "zqcellzq", "zqpromptzq", "zqqueryzq", "zqheaderzq", "zqfilterzq", "zqpathzq", "zqcredentialzq", "zqtoolzq",
    ]

    @Test("AUD-03: keys, cells, prompts, queries and credentials leave no trace, whatever is done with them")
    func traces() async throws {
        try await withGateway { fixture in
            let limited = try await fixture.access.createKey(
                APIKeyDraft(name: "limited", scopes: [.search]),
                context: fixture.owner
            )
            let vault = try testVault(fixture.database)
            let purpose = try #require(CredentialPurpose(rawValue: "gemini.key"))
            try await vault.store(Secret("zqcredentialzq"), for: purpose, context: fixture.owner)
            let server = fixture.server()
            try await server.publicApplication.test(.router) { client in
                let records = "\(fixture.tablePath)/records"
                let table = "/v0/\(fixture.base.id)/Elements"
                for key in [fixture.key, limited.text, String(fixture.key.dropLast()) + "x", "zqheaderzq"] {
                    for (method, path, body) in [
                        (.post, table, #"{"fields":{"Name":"zqcellzq"}}"#),
                        (.post, table, #"{"fields":{"zqcellzq":"x"}}"#),
                        (.get, "\(table)?filterByFormula=zqfilterzq(", nil),
                        (.get, "\(table)?view=zqfilterzq", nil),
                        (.get, "\(records)?zqqueryzq=1", nil),
                        (.get, "/api/v1/zqpathzq", nil),
                        (.get, "/v0/zqpathzq/zqpathzq", nil),
                        (.post, "/api/v1/search", #"{"query":"zqqueryzq"}"#),
                        (.post, "/api/v1/search", #"{"query":"zqqueryzq","nonsense":"zqqueryzq"}"#),
                        (.post, "/api/v1/search", #"{"query":"zqqueryzq"#),
                        (
                            .post, "/v1/chat/completions",
                            #"{"model":"m","messages":[{"role":"user","content":"zqpromptzq"}]}"#
                        ),
                        (
                            .post, "/mcp",
                            #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"zqtoolzq","arguments":{"q":"zqpromptzq"}}}"#
                        ),
                        (.get, "\(fixture.tablePath)/export?filterByFormula=%7BName%7D%3D%27zqfilterzq%27", nil),
                    ] as [(HTTPRequest.Method, String, String?)] {
                        _ = try await client.send(
                            method,
                            path,
                            key: key,
                            headers: [.userAgent: "zqheaderzq"],
                            body: body
                        )
                    }
                }
            }
            await fixture.access.flush()
            let audit = try await fixture.database.read(of: .everyTenant) { transaction in
                try transaction.rows("SELECT * FROM access_audit").map { "\($0.values)" }.joined()
            }
            let lines = fixture.log.lines
            #expect(lines.count > 50 && audit.contains("access.denied"))
            let logged = lines.map(\.text).joined(separator: "\n")
            let metrics = fixture.metrics.text()
            #expect(metrics.contains("http"))
            for (place, text) in [("log", logged), ("metrics", metrics), ("audit log", audit)] {
                for mark in Self.marks { #expect(!text.contains(mark), "\(mark) is in the \(place)") }
                for key in [fixture.key, limited.text] {
                    #expect(!text.contains(key.suffix(20)), "a key is in the \(place)")
                }
            }
        }
    }
}
