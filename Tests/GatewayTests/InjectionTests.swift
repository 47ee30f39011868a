import Access
import Airtable
import Database
import Domain
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import TestSupport
import Testing

@testable import Gateway

/// Text that SQL, LIKE, full text search, regular expressions or JSON paths would take for something else, wherever a
/// route takes text. `Tests/Clients/attacks/injection.py` does so for every parameter that the API document knows.
@Suite("Injection by route")
struct InjectionTests {
    private static let hostile = [
        "' OR '1'='1", "'; DROP TABLE records; --", "\" OR \"\"=\"",
        "1) UNION SELECT digest FROM access_keys --",
        "%", "_", "\\", "\\'", "*", "a* OR NEAR(b)", "\"open", "name:x", "^x", "$1", "$2", "?1", ":name", "@x",
        "$.a[0]", "->>'a'",
        "'||(SELECT 1)||'", "x'; SELECT pg_sleep(10); --", "(.*)", "[a", "{Name}", "$$", "E'\\x00'", "/* x */", "--",
        ";",
        "\u{2019} OR 1=1", "＇ OR 1=1",
    ]
    /// What a database would say of its own.
    private static let traces = [
        "sqlite", "postgres", "syntax error", "sqlstate", "near \"", "no such column", "relation \"",
    ]

    private static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? text
    }

    private static func expectTame(_ answer: Answer, _ what: String) {
        #expect(answer.status < 500, "\(what): \(answer.status) \(answer.text.prefix(300))")
        guard answer.status >= 400 else { return }
        for trace in traces {
            #expect(!answer.text.lowercased().contains(trace), "\(what): \(answer.text.prefix(300))")
        }
    }

    @Test("INP-01: no text in a query or a path is more than text", arguments: DatabaseKind.allCases)
    func queries(_ kind: DatabaseKind) async throws {
        try await withGateway(kind) { fixture in
            let table = "/v0/\(fixture.base.id)/\(fixture.elements.id)"
            let own = "\(fixture.tablePath)/records"
            let rowsBefore = try await Self.rows(fixture)
            try await fixture.server().publicApplication.test(.router) { client in
                for text in Self.hostile {
                    let value = Self.encoded(text)
                    let paths = [
                        "\(table)?view=\(value)", "\(table)?fields[]=\(value)", "\(table)?sort[0][field]=\(value)",
                        "\(table)?filterByFormula=\(value)", "\(table)?offset=\(value)", "\(table)?timeZone=\(value)",
                        "\(table)?userLocale=\(value)", "\(own)?view=\(value)", "\(own)?offset=\(value)",
                        "\(table)/\(value)", "\(own)/\(value)", "/v0/\(fixture.base.id)/\(value)",
                        "/v0/\(value)/Elements",
                        "/v0/meta/bases?offset=\(value)", "/v0/meta/bases/\(value)/tables",
                        "/v0/\(fixture.base.id)/\(fixture.elements.id)/\(value)/comments",
                        "/api/v1/airtable/bases/\(value)", "/api/v1/audit?action=\(value)",
                        "/api/v1/audit?user=\(value)",
                        "/api/v1/audit?object=\(value)", "/api/v1/audit?from=\(value)", "/api/v1/audit?before=\(value)",
                        "/api/v1/permissions/grants?base=\(value)", "/api/v1/permissions/grants?offset=\(value)",
                        "/api/v1/api-keys/\(value)", "/api/v1/users/\(value)", "/api/v1/workspaces/\(value)",
                        "/api/v1/chat/conversations?after=\(value)", "/api/v1/chat/conversations/\(value)",
                    ]
                    for path in paths {
                        let answer = try await client.send(.get, path, key: fixture.key)
                        Self.expectTame(answer, path)
                        // Nothing of it selects everything.
                        if path.contains("filterByFormula"), answer.status == 200 {
                            let count = answer.json?["records"]?.arrayValue?.count ?? 0
                            // A text, as a formula: it is no empty one, for whatever record.
                            let isConstant = text == "'||(SELECT 1)||'"
                            #expect(count == 0 || count == 3 && (text == "{Name}" || isConstant), "\(text): \(count)")
                        }
                    }
                    for bearer in [text, "pat_live_\(text)", "\(text).\(text).\(text)"]
                    where bearer.utf8.allSatisfy({ $0 < 0x7F }) {
                        let answer = try await client.send(.get, "/api/v1/airtable/bases", key: bearer)
                        #expect(answer.status == 401, "\(bearer)")
                    }
                }
            }
            #expect(try await Self.rows(fixture) == rowsBefore)
        }
    }

    @Test(
        "INP-01: what is written is read back letter by letter, and is found as itself alone",
        arguments: DatabaseKind.allCases
    )
    func values(_ kind: DatabaseKind) async throws {
        try await withGateway(kind) { fixture in
            let table = "/v0/\(fixture.base.id)/\(fixture.elements.id)"
            try await fixture.server().publicApplication.test(.router) { client in
                func send(_ method: HTTPRequest.Method, _ path: String, _ body: JSONValue) async throws -> Answer {
                    let answer = try await client.send(method, path, key: fixture.key, body: body.text)
                    Self.expectTame(answer, "\(path) \(body.text.prefix(80))")
                    return answer
                }
                for text in Self.hostile {
                    let value = JSONValue.string(text)
                    let made = try await send(.post, table, ["fields": ["Name": value]])
                    #expect(made.status == 200 && made.json?["fields"]?["Name"] == value, "\(text)")
                    // As a text in a formula it is found as itself, and finds nothing else.
                    let literal = "'" + text.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
                    for formula in ["{Name}=\(literal)", "AND(FIND(\(literal),{Name})=1,LEN({Name})=LEN(\(literal)))"] {
                        let found = try await send(.post, table + "/listRecords", ["filterByFormula": .string(formula)])
                        let names = found.json?["records"]?.arrayValue?.map { $0["fields"]?["Name"] }
                        #expect(names == [value], "\(formula)")
                    }
                    let upsert: JSONValue = [
                        "performUpsert": ["fieldsToMergeOn": ["Name"]],
                        "records": [["fields": ["Name": value, "State": "Gas"]]],
                    ]
                    let merged = try await send(.patch, table, upsert)
                    #expect(
                        merged.json?["updatedRecords"]?.arrayValue?.count == 1,
                        "\(text): \(merged.text.prefix(200))"
                    )
                    _ = try await send(.patch, table, ["records": [["id": value, "fields": [:]]]])
                    _ = try await send(
                        .patch,
                        table,
                        ["records": [["id": "\(fixture.records[0].id)", "fields": [text: 1]]]]
                    )
                    _ = try await send(.post, table, ["fields": ["State": value]])
                    _ = try await send(.post, "/api/v1/auth/login", ["email": value, "password": value])
                    _ = try await send(.post, "/api/v1/auth/refresh", ["refreshToken": value])
                    _ = try await send(
                        .post,
                        "/api/v1/permissions/check",
                        ["permission": value, "resource": ["base": value]]
                    )
                    let named = try await send(
                        .post,
                        "/v0/meta/bases/\(fixture.base.id)/tables",
                        ["name": .string("T \(text)"), "fields": [["name": value, "type": "singleLineText"]]]
                    )
                    if named.status == 200 { #expect(named.json?["fields"]?[0]?["name"] == value, "\(text)") }
                    let grouped = try await send(.post, "/api/v1/permissions/groups", ["name": value])
                    if grouped.status == 201 { #expect(grouped.json?["name"] == value, "\(text)") }
                    let comment = try await send(.post, "\(table)/\(fixture.records[0].id)/comments", ["text": value])
                    #expect(comment.json?["text"] == value, "\(text)")
                }
                let all = try await client.send(.get, table + "?filterByFormula=State%3D'Gas'", key: fixture.key)
                #expect(all.json?["records"]?.arrayValue?.count == Self.hostile.count + 2)
            }
        }
    }

    /// How many rows there are of what an attack would take or add to.
    private static func rows(_ fixture: GatewayFixture) async throws -> [Int64?] {
        try await fixture.database.read(of: .everyTenant) { transaction in
            try ["records", "tables", "access_keys", "access_users", "access_tenants"].map { table in
                try transaction.firstRow("SELECT COUNT(*) FROM \(table)", [])?.integer(0)
            }
        }
    }
}
