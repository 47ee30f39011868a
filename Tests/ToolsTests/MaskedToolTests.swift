import Access
import Airtable
import Domain
import TestSupport
import Testing

@testable import Tools

@Suite("Tools and what is hidden")
struct MaskedToolTests {
    /// The fixture's base with secrets, each with the same word in it.
    private struct Secrets {
        let world: ToolsFixture
        let masked: ToolRegistry
        let identifiers: [String]
        let record: RecordID
        static let word = "zzhush"

        init(_ world: ToolsFixture) async throws {
            let (airtable, context, books) = (world.airtable, world.context, world.books.id)
            let field = try await airtable.createField(
                FieldDraft(name: "Zzhush field", type: .multilineText),
                in: books,
                context: context
            )
            let table = try await airtable.createTable(
                TableDraft(name: "Zzhush table", fields: [FieldDraft(name: "Name", type: .singleLineText)]),
                in: world.base.id,
                context: context
            )
            var count = FieldDraft(name: "Zzhush count", type: .count)
            count.recordLink = "Zzhush link"
            for draft in [.link("Zzhush link", to: "Zzhush table"), count] as [FieldDraft] {
                _ = try await airtable.createField(draft, in: books, context: context)
            }
            let row = try await airtable.create(
                [RecordDraft(fields: ["Name": "zzhush row"])],
                in: table.id,
                context: context
            )[0].id
            let update = RecordUpdate(
                id: world.moby,
                fields: ["Zzhush field": "The zzhush captain hunts whales.", "Zzhush link": [.string(row.description)]]
            )
            _ = try await airtable.update([update], in: books, context: context)
            record = try await airtable.create(
                [
                    RecordDraft(fields: [
                        "Title": "Zzhush book", "Summary": "The zzhush captain hunts a white whale.", "Pages": 77_777,
                        "Author": [.string(world.melville.description)],
                    ])
                ],
                in: books,
                context: context
            )[0].id
            _ = try await airtable.createComment("The zzhush one.", on: record, in: books, context: context)
            try await world.index()
            var sight = Reach()
            sight.excludedTables = [table.id]
            sight.excludedFields = [books: [field.id]]
            let reader = RecordRule.Reader(user: context.principal.user, name: "owner")
            sight.rules = [books: RecordRule(refusing: ["FIND('Zzhush', {Title})"], reader: reader)]
            self.world = world
            masked = world.masked(sight)
            identifiers = [
                field.id.description, table.id.description, record.description, row.description, "77777", "77,777",
            ]
        }

        /// - Parameter given: what was asked with, which an answer may say again.
        func leaks(in text: String, given: JSONObject) -> [String] {
            let asked = JSONValue.object(given).text
            var leaks = identifiers.filter { text.contains($0) && !asked.contains($0) }
            var rest = text.lowercased()
            for case .string(let value) in given.values { rest = rest.replacing(value.lowercased(), with: "") }
            if rest.contains(Self.word) { leaks.append(Self.word) }
            return leaks
        }
    }

    /// Calls of every tool, by name: of what is seen, and of what is not.
    private static func calls(_ secrets: Secrets) -> [String: [JSONObject]] {
        let world = secrets.world
        let place: JSONObject = ["base": "Library", "table": "Books"]
        func at(_ more: JSONObject) -> JSONObject {
            var all = place
            for (key, value) in more { all[key] = value }
            return all
        }
        let (moby, hidden) = (JSONValue.string(world.moby.description), JSONValue.string(secrets.record.description))
        let melville = JSONValue.string(world.melville.description)
        return [
            "list_bases": [[:]], "list_tables": [["base": "Library"], ["base": "Library", "question": "zzhush"]],
            "list_changes": [
                ["base": "Library"], ["base": "Library", "cursor": "a0", "limit": 100], place,
                at(["recordId": moby]), at(["recordId": hidden]), ["base": "Library", "table": "Zzhus table"],
            ],
            "list_comments": [at(["recordId": moby]), at(["recordId": hidden])],
            "describe_table": [
                place, ["base": "Library", "table": "Zzhus table"], ["base": "Library", "table": "Authors"],
                at(["detail": "full", "question": "zzhush"]), at(["detail": "names"]),
            ],
            "list_records": [
                place, at(["fields": ["Zzhus field"]]), at(["fields": ["Title", "Author"]]),
                at(["filter": [["field": "Pages", "op": ">", "value": 1]]]), at(["sort": [["field": "Zzhus field"]]]),
                at(["formula": "{Zzhus field}='x'"]), at(["formula": "{Pages}>1000"]), at(["view": "Zzhus view"]),
                ["base": "Library", "table": "Authors"],
            ],
            "get_record": [
                at(["recordId": moby]), at(["recordId": hidden]),
                ["base": "Library", "table": "Authors", "recordId": melville],
            ],
            "search_records": [
                ["query": "captain hunts a white whale"], ["query": "zzhush"], ["query": "zzhush", "mode": "lexical"],
                ["query": "zzhush row"], ["query": "whale", "limit": 50],
                ["query": "whale", "formula": "{Pages}>1000"], ["query": "whale", "formula": "{Zzhus field}='x'"],
            ],
            "find_similar": [["recordId": moby, "limit": 50], ["recordId": hidden]],
            "ask": [["question": "Who is the zzhush captain?"], ["question": "Which book is about a whale?"]],
            "aggregate_records": [
                place, at(["groupBy": [["field": "Author"]]]), at(["formula": "{Zzhus field}='x'"]),
                at(["filter": [["field": "Zzhus field", "op": "empty"]]]), at(["groupBy": [["field": "Zzhus field"]]]),
                at(["measures": [["function": "max", "field": "Pages"], ["function": "sum", "field": "Pages"]]]),
                at(["groupBy": [["field": "Title"]]]),
            ],
        ]
    }

    @Test("AUTHZ-05: no tool tells of hidden tables, fields or records")
    func leaks() async throws {
        try await withTools { world in
            let secrets = try await Secrets(world)
            let calls = Self.calls(secrets)
            var told: Set<String> = []
            for tool in world.reading {
                let arguments = try #require(calls[tool.name], "calls of \(tool.name)")
                for given in arguments {
                    let call = ToolCall(name: tool.name, arguments: given)
                    let result = try await secrets.masked.call(call, context: world.context)
                    let text = result.text + (result.structured?.text ?? "")
                    #expect(secrets.leaks(in: text, given: given).isEmpty, "\(tool.name) \(given): \(text)")
                    // Somebody who sees all is told of it: else nothing would have been looked for.
                    let whole = try await world.tools.call(call, context: world.context)
                    let found = secrets.leaks(in: whole.text + (whole.structured?.text ?? ""), given: given)
                    if !found.isEmpty { told.insert(tool.name) }
                }
            }
            #expect(told == Set(calls.keys).subtracting(["list_bases"]))
        }
    }

    @Test("AUTHZ-05: counts, sums and groups are those of what is seen")
    func counts() async throws {
        try await withTools { world in
            let secrets = try await Secrets(world)
            let call = ToolCall(
                name: "aggregate_records",
                arguments: [
                    "base": "Library", "table": "Books",
                    "measures": [["function": "count"], ["function": "sum", "field": "Pages"]],
                ]
            )
            let seen = try await secrets.masked.call(call, context: world.context)
            #expect(seen.structured?["recordCount"] == 3 && seen.structured?["groups"]?[0]?["values"] == [3, 635])
            let tables = try await secrets.masked.call(
                ToolCall(name: "list_tables", arguments: ["base": "Library"]),
                context: world.context
            )
            #expect(tables.structured?["tables"]?.arrayValue?.map { $0["recordCount"] } == [1, 3])
        }
    }

    @Test("AUTHZ-03: a hidden record is as missing as one that is not there")
    func missing() async throws {
        try await withTools { world in
            let secrets = try await Secrets(world)
            for name in ["get_record", "find_similar"] {
                var texts: [String] = []
                for record in [secrets.record, RecordID.random()] {
                    var arguments: JSONObject = ["recordId": .string(record.description)]
                    if name == "get_record" { (arguments["base"], arguments["table"]) = ("Library", "Books") }
                    let result = try await secrets.masked.call(
                        ToolCall(name: name, arguments: arguments),
                        context: world.context
                    )
                    #expect(result.isError)
                    texts.append(result.text.replacing(record.description, with: "…"))
                }
                #expect(texts[0] == texts[1])
            }
        }
    }
}
