import Airtable
import Database
import Domain
import Foundation
import HTTPTypes
import HummingbirdTesting
import TestSupport
import Testing

@testable import Gateway

/// Every row of the reference's table of errors, provoked over a socket: `Errors/airtable.json` says by which request, and
/// what is answered, to the byte. What a server of ours cannot give stands there with the reason.
@Suite("Airtable's table of errors, over a socket")
struct AirtableErrorTableTests {
    /// The reference's rows (section 6): status and type.
    private static let reference = [
        "400 BAD_REQUEST", "400 INVALID_REQUEST_BODY", "401 AUTHENTICATION_REQUIRED", "402", "403 INVALID_PERMISSIONS",
        "403 INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND", "404 NOT_FOUND", "404 MODEL_ID_NOT_FOUND",
        "413 REQUEST_TOO_LARGE",
        "422 INVALID_REQUEST_UNKNOWN", "422 INVALID_REQUEST_MISSING_FIELDS", "422 INVALID_RECORDS",
        "422 UNKNOWN_FIELD_NAME", "422 INVALID_VALUE_FOR_COLUMN", "422 INVALID_MULTIPLE_CHOICE_OPTIONS",
        "422 INVALID_FILTER_BY_FORMULA", "422 LIST_RECORDS_ITERATOR_NOT_AVAILABLE", "422 INVALID_OFFSET_VALUE",
        "422 ROW_DOES_NOT_EXIST", "422 INVALID_RECORD_ID", "422 INVALID_ATTACHMENT_OBJECT",
        "422 ATTACHMENTS_FAILED_UPLOADING", "422 VIEW_NAME_NOT_FOUND", "422 DUPLICATE_TABLE_NAME",
        "422 DUPLICATE_OR_EMPTY_FIELD_NAME", "422 INVALID_FIELD_TYPE_OPTIONS_FOR_CREATE",
        "422 UNSUPPORTED_FIELD_TYPE_FOR_CREATE", "429 RATE_LIMIT_REACHED", "429 TOO_MANY_REQUESTS",
        "429 PUBLIC_API_BILLING_LIMIT_EXCEEDED", "500 SERVER_ERROR", "502", "503 SERVICE_UNAVAILABLE",
    ]

    private static func table() throws -> JSONValue {
        let file = repositoryRoot.appendingPathComponent("Tests/GatewayTests/Errors/airtable.json")
        return try JSONValue(parsing: [UInt8](try Data(contentsOf: file)))
    }

    @Test("has every row of the reference: given, or with the reason why not")
    func complete() throws {
        let table = try Self.table()
        let given = Set((table["given"]?.arrayValue ?? []).compactMap { $0["row"]?.stringValue })
        let others = table["notGiven"]?.objectValue ?? [:]
        #expect(given.union(others.map(\.key)) == Set(Self.reference))
        #expect(given.isDisjoint(with: others.map(\.key)))
        for (row, reason) in others { #expect((reason.stringValue?.count ?? 0) > 10, "\(row)") }
    }

    @Test("is answered to the byte", arguments: DatabaseKind.allCases)
    func answers(_ kind: DatabaseKind) async throws {
        let rows = try #require(try Self.table()["given"]?.arrayValue)
        #expect(rows.count > 60)
        try await withGateway(kind) { fixture in
            let place = try await Place(fixture)
            let ordinary = rows.filter { $0["server"] == nil }
            try await fixture.server().publicApplication.test(.live) { client in
                for row in ordinary { try await place.expect(row, client) }
            }
            var limited = fixture
            limited.emulation = AirtableEmulation(limitsRate: true, now: { [now = ContinuousClock.now] in now })
            try await limited.server().publicApplication.test(.live) { client in
                for _ in 0..<5 {
                    let answer = try await client.send(.get, place.table, key: fixture.key)
                    #expect(answer.status == 200)
                }
                for row in rows where row["server"] == "limited" { try await place.expect(row, client) }
            }
            try await fixture.server(requestTimeout: .zero).publicApplication.test(.live) { client in
                for row in rows where row["server"] == "late" { try await place.expect(row, client) }
            }
            try await fixture.database.write(of: .everyTenant) { transaction in
                try transaction.execute(
                    "UPDATE records SET created = created + 1 WHERE id = $1",
                    [.text(fixture.records[0].id.description)]
                )
            }
            try await fixture.server().publicApplication.test(.live) { client in
                for row in rows where row["server"] == "damaged" { try await place.expect(row, client) }
            }
        }
    }

    /// What the rows' words stand for.
    private struct Place: Sendable {
        let fixture: GatewayFixture
        let reader: String
        let words: [(String, String)]
        var table: String { "/v0/\(fixture.base.id)/\(fixture.elements.id)" }

        init(_ fixture: GatewayFixture) async throws {
            self.fixture = fixture
            reader = try await fixture.key([.recordsRead, .schemaRead, .basesRead], bases: [fixture.base.id])
            let other = try await fixture.airtable.createBase(
                name: "Other",
                tables: [TableDraft(name: "Things", fields: [FieldDraft(name: "Name", type: .singleLineText)])],
                context: fixture.owner
            )
            var double = FieldDraft(name: "Double", type: .formula)
            double.options.formula = "{Number} * 2"
            _ = try await fixture.airtable.createTable(
                TableDraft(
                    name: "Kinds",
                    fields: [
                        FieldDraft(name: "Name", type: .singleLineText), FieldDraft(name: "Number", type: .number),
                        double,
                        FieldDraft(name: "Files", type: .multipleAttachments),
                    ]
                ),
                in: fixture.base.id,
                context: fixture.owner
            )
            // The list of another process, which this one does not keep.
            var query = RecordQuery()
            query.sort = [RecordQuery.SortKey(field: "Name")]
            query.pageSize = 1
            let elsewhere = AirtableService(database: fixture.database, access: fixture.access)
            let offset = try await elsewhere.list(query, in: fixture.elements.id, context: fixture.owner).offset
            words = [
                ("{base}", fixture.base.id.description), ("{table}", fixture.elements.id.description),
                ("{record}", fixture.records[0].id.description), ("{otherBase}", other.base.id.description),
                ("{expired}", CallerCursor.sealed(try #require(offset), in: fixture.elements.id, for: fixture.owner)),
            ]
        }

        func expect(_ row: JSONValue, _ client: any TestClientProtocol) async throws {
            let name = "\(row["row"]?.stringValue ?? ""): \(row["why"]?.stringValue ?? "")"
            let method = try #require(row["method"]?.stringValue.flatMap { HTTPRequest.Method(rawValue: $0) })
            var path = try #require(row["path"]?.stringValue)
            for (word, value) in words { path = path.replacing(word, with: value) }
            let key: String? =
                switch row["as"]?.stringValue {
                case "nobody": nil
                case "stranger": "pat_live_" + String(repeating: "x", count: 40)
                case "reader": reader
                default: fixture.key
                }
            let padding = row["padding"]?.intValue.map { "{\"x\":\"" + String(repeating: "x", count: $0) + "\"}" }
            let answer = try await client.send(
                method,
                path,
                key: key,
                body: row["body"]?.stringValue ?? padding,
                contentType: row["contentType"]?.stringValue ?? "application/json"
            )
            #expect(answer.status == row["status"]?.intValue, "\(name)")
            #expect(answer.text == row["answer"]?.text, "\(name)")
            #expect(answer.headers[.contentType]?.hasPrefix("application/json") == true, "\(name)")
            #expect(answer.headers[.retryAfter] != nil || answer.status != 429, "\(name)")
            let records = try await fixture.airtable.recordCount(in: fixture.elements.id, context: fixture.owner)
            #expect(records == 3, "\(name) changed something")
        }
    }
}
