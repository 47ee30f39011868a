import Airtable
import Domain
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import TestSupport
import Testing

@testable import Gateway

@Suite("Importing by upload")
struct ImportRouteTests {
    private func names(_ client: any TestClientProtocol, _ fixture: GatewayFixture) async throws -> [String] {
        let answer = try await client.send(.get, fixture.tablePath + "/records", key: fixture.key)
        return answer.json?["records"]?.arrayValue?.compactMap { $0["fields"]?["Name"]?.stringValue } ?? []
    }

    @Test("adds rows to a table with the permission to write records alone", arguments: DatabaseKind.allCases)
    func rows(_ kind: DatabaseKind) async throws {
        try await withGateway(kind) { fixture in
            let key = try await fixture.key([.recordsWrite], bases: [fixture.base.id])
            try await fixture.server().publicApplication.test(.router) { client in
                let csv = "Name,State,Isotopes\nHydrogen,Gas,Helium-3\nMercury,Liquid,\n"
                let answer = try await client.send(
                    .post,
                    fixture.tablePath + "/import",
                    key: key,
                    body: csv,
                    contentType: "text/csv; charset=utf-8"
                )
                #expect(answer.status == 200, "\(answer.text)")
                #expect(answer.json?["outcome"] == "imported")
                #expect(answer.json?["baseId"]?.stringValue == fixture.base.id.description)
                #expect(answer.json?["tables"]?[0]?["records"] == 2)
                #expect(try await names(client, fixture) == ["Helium", "Iron", "Neon", "Hydrogen", "Mercury"])
                let lines = "{\"Name\":\"Zinc\"}\n\n{\"id\":\"recAAAAAAAAAAAAAA\",\"fields\":{\"Name\":\"Tin\"}}\n"
                for (type, body) in [("application/x-ndjson", lines), ("application/json", #"[{"Name":"Lead"}]"#)] {
                    let more = try await client.send(
                        .post,
                        fixture.tablePath + "/import",
                        key: key,
                        body: body,
                        contentType: type
                    )
                    #expect(more.status == 200, "\(more.text)")
                }
                let tabs = try await client.send(
                    .post,
                    fixture.tablePath + "/import?format=tsv&dryRun=true",
                    key: key,
                    body: "Name\tState\nGold\tSolid\n",
                    contentType: "application/octet-stream"
                )
                #expect(tabs.json?["outcome"] == "dryRun" && tabs.json?["tables"]?[0]?["records"] == 1)
                #expect(try await names(client, fixture).suffix(3) == ["Zinc", "Tin", "Lead"])
                #expect(tabs.json?["transaction"] == .null)
                // The first of them is taken back, by who may delete records.
                let number = try #require(answer.json?["transaction"]?.intValue)
                let undo = "/api/v1/airtable/transactions/\(number)/undo"
                #expect(try await client.send(.post, undo, key: key).status == 403)
                let undone = try await client.send(.post, undo, key: fixture.key)
                #expect(undone.status == 200, "\(undone.text)")
                #expect(try await names(client, fixture) == ["Helium", "Iron", "Neon", "Zinc", "Tin", "Lead"])
            }
        }
    }

    @Test("makes a table, or adds to the one of that name", arguments: DatabaseKind.allCases)
    func tables(_ kind: DatabaseKind) async throws {
        try await withGateway(kind) { fixture in
            let key = try await fixture.key([.schemaWrite], bases: [fixture.base.id])
            let path = "/api/v1/airtable/bases/\(fixture.base.id)/import"
            try await fixture.server().publicApplication.test(.router) { client in
                for (count, name) in [(2, "Minerals"), (2, "minerals"), (2, fixture.elements.id.description)] {
                    let answer = try await client.send(
                        .post,
                        "\(path)?table=\(name)",
                        key: key,
                        body: "Name\nQuartz\nTalc\n",
                        contentType: "text/csv"
                    )
                    #expect(answer.status == 200, "\(answer.text)")
                    #expect(answer.json?["tables"]?[0]?["records"]?.intValue == count)
                    // A new table is in the log as a whole.
                    #expect((answer.json?["transaction"] == .null) == (name == "Minerals"))
                }
                let tables = try await fixture.airtable.tables(in: fixture.base.id, context: fixture.owner)
                #expect(tables.map(\.name) == ["Elements", "Isotopes", "Minerals"])
                #expect(try await fixture.airtable.recordCount(in: tables[2].id, context: fixture.owner) == 4)
                let nameless = try await client.send(.post, path, key: key, body: "A\n1\n", contentType: "text/csv")
                #expect(nameless.status == 400)
                let elsewhere = "/api/v1/airtable/bases/appAAAAAAAAAAAAAA/import?table=x"
                let unknown = try await client.send(.post, elsewhere, key: key, body: "A\n1\n", contentType: "text/csv")
                #expect(unknown.status == 404)
            }
        }
    }

    @Test("makes a base of what was exported, and of any file with a name", arguments: DatabaseKind.allCases)
    func bases(_ kind: DatabaseKind) async throws {
        try await withGateway(kind) { fixture in
            let key = try await fixture.key([.schemaWrite])
            try await fixture.server().publicApplication.test(.router) { client in
                let export = "/api/v1/airtable/bases/\(fixture.base.id)/export"
                let document = try await client.send(.get, export, key: fixture.key)
                #expect(document.status == 200)
                #expect(document.headers[.contentType] == "application/x-ndjson")
                #expect(document.headers[.contentDisposition]?.contains("Periodic table.base.jsonl") == true)
                func send(_ query: String, _ text: String, _ type: String) async throws -> Answer {
                    try await client.send(
                        .post,
                        "/api/v1/airtable/import\(query)",
                        key: key,
                        body: text,
                        contentType: type
                    )
                }
                let there = try await send("", document.text, "application/x-ndjson")
                #expect(there.status == 409 && there.code == "BASE_EXISTS")
                let copy = try await send("?name=Copy", document.text, "application/x-ndjson")
                #expect(copy.status == 200, "\(copy.text)")
                #expect(copy.json?["tables"]?[0]?["records"] == 3)
                let again = try await send("?name=Copy&mode=ifAbsent", document.text, "application/x-ndjson")
                #expect(again.json?["outcome"] == "alreadyThere")
                let plain = try await send("?name=Shop", "Name\nA\n", "text/csv")
                #expect(plain.json?["base"] == "Shop")
                let nameless = try await send("", "Name\nA\n", "text/csv")
                #expect(nameless.status == 400)
                let table = try await client.send(
                    .post,
                    fixture.tablePath + "/import",
                    key: fixture.key,
                    body: document.text,
                    contentType: "application/x-ndjson"
                )
                #expect(table.status == 400 && table.json?["hint"]?.stringValue?.contains("/import") == true)
                #expect(try await fixture.airtable.bases(context: fixture.owner).count == 3)
            }
        }
    }

    @Test("a broken file leaves nothing, and its line is told without the place where it lay")
    func broken() async throws {
        try await withGateway { fixture in
            let before = try await fixture.airtable.bases(context: fixture.owner)
            let rows = (1...5_000).map { "n\($0),\($0)" }.joined(separator: "\n")
            try await fixture.server().publicApplication.test(.router) { client in
                let body = "Name,Number\n\(rows)\nlast,1,too many\n"
                func send(_ query: String) async throws -> Answer {
                    try await client.send(
                        .post,
                        "/api/v1/airtable/import?name=Broken\(query)",
                        key: fixture.key,
                        body: body,
                        contentType: "text/csv"
                    )
                }
                let refused = try await send("")
                #expect(refused.status == 400)
                #expect(refused.code == "MALFORMED_ROW")
                #expect(refused.json?["line"] == 5_002)
                #expect(refused.detail == "the file, line 5002: expected 2 cells, found 3")
                #expect(try await fixture.airtable.bases(context: fixture.owner) == before)
                let skipped = try await send("&skipBadRows=true")
                #expect(skipped.json?["tables"]?[0]?["records"] == 5_000)
                #expect(skipped.json?["tables"]?[0]?["skipped"] == 1)
                #expect(skipped.json?["skipped"]?[0] == "the file, line 5002: expected 2 cells, found 3")
                let unsure = try await send("&skipBadRows=perhaps")
                #expect(unsure.status == 400)
            }
        }
    }

    @Test("refuses other media types, compressed files, and ones that are too large")
    func doors() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                for (type, headers) in [
                    ("application/pdf", [:] as HTTPFields), ("text/csv; charset=latin1", [:]),
                    ("text/csv", [.contentEncoding: "gzip"]),
                ] {
                    let answer = try await client.send(
                        .post,
                        fixture.tablePath + "/import",
                        key: fixture.key,
                        headers: headers,
                        body: "Name\nx\n",
                        contentType: type
                    )
                    #expect(answer.status == 415, "\(type)")
                }
                let reader = try await fixture.key([.recordsRead])
                let forbidden = try await client.send(
                    .post,
                    fixture.tablePath + "/import",
                    key: reader,
                    body: "Name\nx\n",
                    contentType: "text/csv"
                )
                #expect(forbidden.status == 403)
                #expect(try await names(client, fixture).count == 3)
            }
        }
    }

    @Test("an upload that says it is too large is refused before it is read")
    func tooLarge() async throws {
        try await withGateway { fixture in
            let (path, key) = (fixture.tablePath + "/import", fixture.key)
            try await fixture.server().publicApplication.test(.live) { client in
                let connection = try await RawConnection(port: try #require(client.port))
                try await connection.send(
                    "POST \(path) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(key)\r\nContent-Type: text/csv\r\n"
                        + "Content-Length: \(Limits.importBytes + 1)\r\n\r\n"
                )
                let answer = try await connection.readToEnd()
                #expect(answer.hasPrefix("HTTP/1.1 413"), "\(answer)")
            }
        }
    }

    @Test("an upload that is cut off leaves nothing")
    func cutOff() async throws {
        try await withTemporaryDirectory { directory in
            try await withGateway { fixture in
                var fixture = fixture
                fixture.spool = SpoolDirectory(directory.path)
                let (path, key) = (fixture.tablePath + "/import", fixture.key)
                try await fixture.server().publicApplication.test(.live) { client in
                    let connection = try await RawConnection(port: try #require(client.port))
                    try await connection.send(
                        "POST \(path) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(key)\r\nContent-Type: text/csv\r\n"
                            + "Content-Length: 1000\r\n\r\nName\nHalf\n"
                    )
                    func count() throws -> Int {
                        try FileManager.default.contentsOfDirectory(atPath: directory.path).count
                    }
                    try await eventually("the upload has a file") { try count() == 1 }
                    connection.close()
                    try await eventually("the file is gone") { try count() == 0 }
                }
                #expect(try await fixture.airtable.recordCount(in: fixture.elements.id, context: fixture.owner) == 3)
            }
        }
    }
}

@Suite("Exporting over HTTP")
struct ExportRouteTests {
    @Test("a table as CSV and as JSON Lines, as parameters say")
    func table() async throws {
        try await withGateway { fixture in
            let key = try await fixture.key([.recordsRead], bases: [fixture.base.id])
            try await fixture.server().publicApplication.test(.router) { client in
                let csv = try await client.send(.get, fixture.tablePath + "/export", key: key)
                #expect(csv.status == 200)
                #expect(csv.headers[.contentType] == "text/csv; charset=utf-8")
                #expect(
                    csv.headers[.contentDisposition]
                        == "attachment; filename=\"Elements.csv\"; filename*=UTF-8''Elements.csv"
                )
                #expect(csv.headers[.contentLength] == "\(csv.text.utf8.count)")
                #expect(csv.text == "Name,State,Isotopes\r\nHelium,Gas,Helium-3\r\nIron,Solid,\r\nNeon,Gas,\r\n")
                let query =
                    "?format=jsonl&fields[]=Name&filterByFormula=%7BState%7D%3D%22Gas%22&sort[0][field]=Name"
                    + "&sort[0][direction]=desc&returnFieldsByFieldId=1"
                let lines = try await client.send(.get, fixture.tablePath + "/export" + query, key: key)
                #expect(lines.headers[.contentType] == "application/x-ndjson")
                let records = try lines.text.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
                #expect(records.map { $0["id"]?.stringValue } == [2, 0].map { fixture.records[$0].id.description })
                let name = fixture.elements.fields[0].id.description
                #expect(records.first?["fields"] == .object([name: "Neon"]))
                for bad in ["?format=xlsx", "?sort[0][field]=Nope", "?filterByFormula=%7BNope%7D", "?escapeFormulas=x"]
                {
                    let refused = try await client.send(.get, fixture.tablePath + "/export" + bad, key: key)
                    #expect(refused.status == 400, "\(bad)")
                    #expect(refused.headers[.contentType] == "application/problem+json")
                }
                let writer = try await fixture.key([.recordsWrite])
                #expect(try await client.send(.get, fixture.tablePath + "/export", key: writer).status == 403)
            }
        }
    }

    @Test("over a socket, larger than what fits between, to a client that reads slowly")
    func socket() async throws {
        try await withGateway { fixture in
            let words = JSONValue.string(String(repeating: "word ", count: 2_000))
            for _ in 0..<5 {
                let drafts = (0..<200).map { _ in RecordDraft(fields: ["Name": words]) }
                _ = try await fixture.airtable.create(drafts, in: fixture.elements.id, context: fixture.owner)
            }
            try await fixture.server().publicApplication.test(.live) { client in
                let connection = try await RawConnection(port: try #require(client.port))
                try await connection.send(
                    "GET \(fixture.tablePath)/export HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                        + "Authorization: Bearer \(fixture.key)\r\n\r\n"
                )
                let text = try await connection.readToEnd()
                let parts = text.firstRange(of: "\r\n\r\n").map { (text[..<$0.lowerBound], text[$0.upperBound...]) }
                let (head, body) = try #require(parts)
                #expect(head.hasPrefix("HTTP/1.1 200"))
                #expect(body.utf8.count > 10_000_000)
                #expect(head.contains("\(body.utf8.count)"))
                #expect(body.hasSuffix("\r\n"))
            }
        }
    }

    @Test("names of files are told in both forms, whatever they are")
    func names() {
        #expect(
            ContentDisposition.attachment("Ä\"\r\n;.csv")
                == "attachment; filename=\"_____.csv\"; filename*=UTF-8''%C3%84%22%0D%0A%3B.csv"
        )
    }
}
