import Airtable
import Domain
import TestSupport
import Testing

@testable import Tools

@Suite("Tools")
struct ToolTests {
    /// Calls, expects success, and checks the answer against the tool's own schema.
    private func answer(_ world: ToolsFixture, _ name: String, _ arguments: JSONObject = [:]) async throws -> ToolResult
    {
        let result = try await world.call(name, arguments)
        #expect(!result.isError, "\(result.text)")
        let schema = try #require(world.tools.answerSchema(of: name))
        #expect(schema.violations(of: try #require(result.structured)).isEmpty)
        return result
    }

    @Test("list_bases and list_tables show names with their ids")
    func listing() async throws {
        try await withTools { world in
            let bases = try await answer(world, "list_bases")
            #expect(bases.data == "Library (\(world.base.id))")
            #expect(bases.structured?["bases"]?[0]?["id"]?.stringValue == world.base.id.description)
            for base in ["Library", "library ", world.base.id.description] {
                let tables = try await answer(world, "list_tables", ["base": .string(base)])
                #expect(
                    tables.data == """
                        Base Library (\(world.base.id)), 2 tables
                        Authors (\(world.authors.id)), 1 records: Name, Books
                        Books (\(world.books.id)), 3 records: Title, Summary, Author, Shelf, Pages, Number
                        """
                )
                #expect(tables.structured?["tables"]?[1]?["primaryField"] == "Title")
                #expect(tables.structured?["tables"]?[1]?["recordCount"] == 3)
            }
        }
    }

    @Test("a wrong name is answered with the one that was probably meant")
    func misspelt() async throws {
        try await withTools { world in
            let base = "no base 'Libary'; did you mean 'Library'?"
            let field = "no field 'Pags' in table Books; did you mean 'Pages'?"
            let condition: JSONValue = [["field": "Pags", "op": ">", "value": 1]]
            let formula: JSONObject = ["formula": "AND({Title}='x', {Pags}>1)"]
            let moby = JSONValue.string(world.moby.description)
            let elsewhere: [(String, JSONObject, String)] = [
                ("list_tables", ["base": "Libary"], base), ("list_changes", ["base": "Libary"], base),
                ("search_records", ["query": "x", "bases": ["Libary"]], base),
                (
                    "describe_table", ["base": "Library", "table": "Boks"],
                    "no table 'Boks' in base Library; did you mean 'Books'?"
                ),
                (
                    "search_records", ["query": "x", "formula": "{Pags}>1"],
                    "\(field) (at character 1 of the formula)"
                ),
            ]
            let inBooks: [(String, JSONObject, String)] = [
                (
                    "list_records", ["fields": ["Tittle", "Pags", "Shelf"]],
                    "no field 'Tittle' in table Books; did you mean 'Title'?\n\(field)"
                ),
                ("get_record", ["recordId": moby, "fields": ["Pags"]], field),
                ("list_records", ["sort": [["field": "Pags"]]], field), ("list_records", ["filter": condition], field),
                ("aggregate_records", ["filter": condition], field),
                ("aggregate_records", ["groupBy": [["field": "Pags"]]], field),
                ("aggregate_records", ["measures": [["function": "sum", "field": "Pags"]]], field),
                ("list_records", formula, "\(field) (at character 18 of the formula)"),
                ("aggregate_records", formula, "\(field) (at character 18 of the formula)"),
                (
                    "list_records", ["view": "Grid viev"],
                    "no view 'Grid viev' in table Books; did you mean 'Grid view'?"
                ),
                (
                    "list_records", ["filter": [["field": "Shelf", "op": "=", "value": "Novel"]]],
                    "no choice 'Novel' in field Shelf; did you mean 'Novels'?"
                ),
            ]
            let place: JSONObject = ["base": "Library", "table": "Books"]
            let calls = elsewhere + inBooks.map { ($0.0, JSONObject(place.map { $0 } + $0.1.map { $0 }), $0.2) }
            for (tool, arguments, expected) in calls {
                let result = try await world.call(tool, arguments)
                #expect(result.isError && result.text == expected, "\(tool) \(arguments): \(result.text)")
                #expect(result.problem.map { [.notFound, .invalid].contains($0.kind) } == true)
            }
            let open = try await world.call(
                "list_records",
                JSONObject(place.map { $0 } + [(key: "formula", value: "AND(1")])
            )
            #expect(open.isError && open.text.contains("of the formula)"), "\(open.text)")
        }
    }

    @Test("describe_table says what each field takes")
    func describing() async throws {
        try await withTools { world in
            let result = try await answer(world, "describe_table", ["base": "Library", "table": "Books"])
            let fields = world.books.fields
            #expect(
                result.data == """
                    Table Books (\(world.books.id)) of base Library (\(world.base.id)), 3 records
                    What is on the shelves.
                    - Title (\(fields[0].id)): singleLineText, primary
                    - Summary (\(fields[1].id)): multilineText
                    - Author (\(fields[2].id)): multipleRecordLinks to Authors (\(world.authors.id))
                    - Shelf (\(fields[3].id)): singleSelect, one of: Novels | Essays
                    - Pages (\(fields[4].id)): number
                    - Number (\(fields[5].id)): autoNumber, computed
                    """
            )
            #expect(result.structured?["fields"]?[3]?["choices"] == ["Novels", "Essays"])
            #expect(result.structured?["fields"]?[2]?["linkedTable"] == "Authors")
        }
    }

    @Test("list_records pages through a table, with the fields that are asked for")
    func paging() async throws {
        try await withTools { world in
            var arguments: JSONObject = ["base": "Library", "table": "Books", "fields": ["Title"], "limit": 2]
            let first = try await answer(world, "list_records", arguments)
            #expect(first.structured?["records"]?.arrayValue?.count == 2)
            #expect(first.structured?["records"]?[0]?["fields"] == ["Title": "Moby Dick"])
            #expect(first.text.contains("\(world.moby) Title: Moby Dick\n"))
            let cursor = try #require(first.structured?["cursor"]?.stringValue)
            #expect(first.advice == "There is more: call again with cursor \"\(cursor)\".")
            arguments["cursor"] = .string(cursor)
            let second = try await answer(world, "list_records", arguments)
            #expect(second.structured?["records"]?[0]?["fields"] == ["Title": "Emma"])
            #expect(second.structured?["cursor"] == nil && second.advice.isEmpty)
            arguments["cursor"] = "nonsense"
            #expect(try await world.call("list_records", arguments).isError)
            let all = try await answer(world, "list_records", ["base": "Library", "table": "Books"])
            #expect(all.text.contains("Summary: A captain hunts a white whale. It ends badly.; Author: rec"))
        }
    }

    @Test("get_record shows a record whole, with the names of what it links to")
    func getting() async throws {
        try await withTools { world in
            let place: JSONObject = ["base": "Library", "table": "Books", "recordId": .string(world.moby.description)]
            let result = try await answer(world, "get_record", place)
            #expect(
                result.data == """
                    Record \(world.moby) of Books (\(world.books.id)), base Library (\(world.base.id))
                    Title: Moby Dick
                    Summary: A captain hunts a white whale.
                    It ends badly.
                    Author: Herman Melville (\(world.melville))
                    Shelf: Novels
                    Pages: 635
                    Number: 1
                    """
            )
            #expect(result.structured?["record"]?["fields"]?["Author"] == [.string(world.melville.description)])
            #expect(result.structured?["linkedNames"]?[world.melville.description] == "Herman Melville")
            for id in ["rec00000000000000", "tbl00000000000000", "rec0000000000000!", "x"] {
                let missing = try await world.call(
                    "get_record",
                    ["base": "Library", "table": "Books", "recordId": .string(id)]
                )
                #expect(missing.isError, "\(id)")
            }
            // A record of another table is not there either.
            let other = try await world.call(
                "get_record",
                ["base": "Library", "table": "Books", "recordId": .string(world.melville.description)]
            )
            #expect(other.isError)
        }
    }

    @Test("search_records answers hits with their place and the piece that fits")
    func searching() async throws {
        try await withTools { world in
            let result = try await answer(world, "search_records", ["query": "hunting whales", "limit": 2])
            let lines = result.data.split(separator: "\n")
            #expect(lines[0].hasPrefix("1. Moby Dick · Library / Books · \(world.moby) in \(world.books.id) · score "))
            #expect(lines[1] == "   A captain hunts a white whale. It ends badly.")
            #expect(result.structured?["hits"]?[0]?["recordId"]?.stringValue == world.moby.description)
            #expect(
                result.content.first
                    == .link(
                        ResourceLink(
                            uri: "airtable://\(world.base.id)/\(world.books.id)/\(world.moby)",
                            name: "Moby Dick",
                            mediaType: "application/json"
                        )
                    )
            )
            let none = try await answer(world, "search_records", ["query": "whale", "bases": []])
            #expect(none.text == "No record was found.")
            let unknown = try await world.call("search_records", ["query": "whale", "tables": ["Bocks"]])
            #expect(unknown.isError && unknown.text.contains("did you mean 'Books'?"))
            #expect(try await world.call("search_records", ["query": "  "]).isError)
        }
    }
}
