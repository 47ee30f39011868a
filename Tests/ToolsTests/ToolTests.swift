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
        let schema = try #require(world.tools.definitions.first { $0.name == name }?.outputSchema)
        #expect(schema.violations(of: try #require(result.structured)).isEmpty)
        return result
    }

    @Test("list_bases and list_tables show names with their ids")
    func listing() async throws {
        try await withTools { world in
            let bases = try await answer(world, "list_bases")
            #expect(bases.text == "Library (\(world.base.id))")
            #expect(bases.structured?["bases"]?[0]?["id"]?.stringValue == world.base.id.description)
            for base in ["Library", "library ", world.base.id.description] {
                let tables = try await answer(world, "list_tables", ["base": .string(base)])
                #expect(
                    tables.text == """
                        Base Library (\(world.base.id)) has 2 tables:
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
            let base = try await world.call("list_tables", ["base": "Libary"])
            #expect(base.isError && base.text.contains("\"Library\""), "\(base.text)")
            let table = try await world.call("describe_table", ["base": "Library", "table": "Boks"])
            #expect(table.isError && table.text.contains("\"Books\""), "\(table.text)")
            let field = try await world.call(
                "list_records",
                ["base": "Library", "table": "Books", "fields": ["Tittle", "Pags", "Shelf"]]
            )
            #expect(
                field.isError && field.text.contains("\"Title\"") && field.text.contains("\"Pages\""),
                "\(field.text)"
            )
        }
    }

    @Test("describe_table says what each field takes")
    func describing() async throws {
        try await withTools { world in
            let result = try await answer(world, "describe_table", ["base": "Library", "table": "Books"])
            let fields = world.books.fields
            #expect(
                result.text == """
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
            #expect(result.structured?["fields"]?[2]?["linkedTable"]?["name"] == "Authors")
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
            let offset = try #require(first.structured?["offset"]?.stringValue)
            #expect(first.text.hasSuffix("There are more: offset \(offset)"))
            arguments["offset"] = .string(offset)
            let second = try await answer(world, "list_records", arguments)
            #expect(second.structured?["records"]?[0]?["fields"] == ["Title": "Emma"])
            #expect(second.structured?["offset"] == nil)
            arguments["offset"] = "nonsense"
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
                result.text == """
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
            let lines = result.text.split(separator: "\n")
            #expect(lines[0].hasPrefix("1. Moby Dick · Library / Books · \(world.moby) in \(world.books.id) · score "))
            #expect(lines[1] == "   A captain hunts a white whale. It ends badly.")
            #expect(result.structured?["hits"]?[0]?["recordId"]?.stringValue == world.moby.description)
            let none = try await answer(world, "search_records", ["query": "whale", "bases": []])
            #expect(none.text == "No record was found.")
            let unknown = try await world.call("search_records", ["query": "whale", "tables": ["Bocks"]])
            #expect(unknown.isError && unknown.text.contains("did you mean \"Books\"?"))
            #expect(try await world.call("search_records", ["query": "  "]).isError)
        }
    }
}
