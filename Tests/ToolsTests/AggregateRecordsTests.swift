import Airtable
import Domain
import Testing

@testable import Tools

@Suite("Aggregating records")
struct AggregateRecordsTests {
    /// A table of sales beside the library, with something of each kind of field.
    private struct Sales {
        let world: ToolsFixture
        let table: Table

        init(_ world: ToolsFixture) async throws {
            self.world = world
            let schema = try await world.airtable.createBase(
                name: "Shop",
                tables: [
                    TableDraft(name: "Shops", fields: [FieldDraft(name: "Name", type: .singleLineText)]),
                    TableDraft(
                        name: "Sales",
                        fields: [
                            FieldDraft(name: "Item", type: .singleLineText),
                            FieldDraft(name: "Amount", type: .number),
                            FieldDraft(name: "Day", type: .date),
                            FieldDraft(name: "Kind", type: .singleSelect, choices: ["Food", "Toys"]),
                            FieldDraft(name: "Tags", type: .multipleSelects, choices: ["new", "old"]),
                            FieldDraft(name: "Paid", type: .checkbox),
                            .link("Shop", to: "Shops"),
                        ]
                    ),
                ],
                context: world.context
            )
            table = schema.tables[1]
            let shops = try await world.airtable.create(
                ["North", "South"].map { RecordDraft(fields: ["Name": .string($0)]) },
                in: schema.tables[0].id,
                context: world.context
            ).map(\.id)
            let rows: [JSONObject] = [
                ["Item": "bread", "Amount": 0.1, "Day": "2024-01-31", "Kind": "Food", "Tags": ["new"], "Paid": true],
                ["Item": "Rye bread", "Amount": 0.2, "Day": "2024-02-01", "Kind": "Food", "Tags": ["new", "old"]],
                ["Item": "top", "Amount": 7, "Day": "2024-02-29", "Kind": "Toys", "Paid": true],
                ["Item": "kite", "Amount": -3, "Day": "2025-02-01", "Kind": "Toys", "Tags": ["old"]],
                ["Item": "gift"],
            ]
            for (number, row) in rows.enumerated() {
                var row = row
                if number < 3 { row["Shop"] = [.string(shops[number % 2].description)] }
                _ = try await world.airtable.create([RecordDraft(fields: row)], in: table.id, context: world.context)
            }
        }

        func aggregate(_ arguments: JSONObject) async throws -> JSONValue {
            var arguments = arguments
            (arguments["base"], arguments["table"]) = ("Shop", "Sales")
            let result = try await world.call("aggregate_records", arguments)
            return try #require(result.structured, "\(result.text)")
        }

        /// The values of the only group.
        func values(_ measures: JSONValue, _ filters: JSONValue = []) async throws -> [JSONValue]? {
            try await aggregate(["measures": measures, "filter": filters])["groups"]?[0]?["values"]?.arrayValue
        }

        func refusal(_ arguments: JSONObject) async throws -> String {
            var arguments = arguments
            (arguments["base"], arguments["table"]) = ("Shop", "Sales")
            let result = try await world.call("aggregate_records", arguments)
            #expect(result.isError)
            return result.text
        }
    }

    @Test("every function, over all records; empty cells count for none")
    func functions() async throws {
        try await withTools { world in
            let sales = try await Sales(world)
            let functions = ["sum", "average", "min", "max", "distinct", "count"]
            let measures: [JSONValue] = functions.map { ["function": .string($0), "field": "Amount"] }
            // 0.1 + 0.2 + 7 − 3, which plain addition makes 4.300000000000001 or so.
            #expect(try await sales.values(.array(measures)) == [4.3, 1.075, -3, 7, 4, 4])
            #expect(try await sales.values([["function": "count"]]) == [5])
            #expect(
                try await sales.values([["function": "min", "field": "Day"], ["function": "max", "field": "Day"]])
                    == ["2024-01-31", "2025-02-01"]
            )
            #expect(try await sales.values([["function": "distinct", "field": "tags"]]) == [2])
            #expect(try await sales.aggregate([:])["groups"]?[0]?["values"] == [5])
            let nothing: JSONValue = [["field": "Item", "op": "=", "value": "none"]]
            let empty = try await sales.values(
                [["function": "sum", "field": "Amount"], ["function": "average", "field": "Amount"]],
                nothing
            )
            #expect(empty == [0, .null])
        }
    }

    @Test("groups by one field or two, by year, month and day, and by each of several values")
    func groups() async throws {
        try await withTools { world in
            let sales = try await Sales(world)
            func groups(_ groupBy: JSONValue) async throws -> [[JSONValue]] {
                let answer = try await sales.aggregate(["groupBy": groupBy])
                return try #require(answer["groups"]?.arrayValue).map {
                    ($0["keys"]?.arrayValue ?? []) + ($0["values"]?.arrayValue ?? [])
                }
            }
            #expect(try await groups([["field": "Kind"]]) == [["Food", 2], ["Toys", 2], [.null, 1]])
            #expect(
                try await groups([["field": "Day", "bucket": "year"]]) == [["2024", 3], ["2025", 1], [.null, 1]]
            )
            #expect(
                try await groups([["field": "Day", "bucket": "quarter"]])
                    == [["2024-Q1", 3], ["2025-Q1", 1], [.null, 1]]
            )
            #expect(
                try await groups([["field": "Day", "bucket": "week"]])
                    == [["2024-W05", 2], ["2024-W09", 1], ["2025-W05", 1], [.null, 1]]
            )
            #expect(
                try await groups([["field": "Day", "bucket": "month"]])
                    == [["2024-01", 1], ["2024-02", 2], ["2025-02", 1], [.null, 1]]
            )
            #expect(try await groups([["field": "Day", "bucket": "day"]]).count == 5)
            #expect(try await groups([["field": "Tags"]]) == [["new", 2], ["old", 2], [.null, 2]])
            #expect(try await groups([["field": "Shop"]]) == [["North", 2], [.null, 2], ["South", 1]])
            #expect(try await groups([["field": "Paid"]]) == [[false, 3], [true, 2]])
            let both = try await groups([["field": "Kind"], ["field": "Paid"]])
            #expect(both.contains(["Food", true, 1]) && both.contains([.null, false, 1]) && both.count == 5)
            let few = try await sales.aggregate(["groupBy": [["field": "Item"]], "limit": 2])
            #expect(few["groups"]?.arrayValue?.count == 2 && few["groupCount"] == 5 && few["recordCount"] == 5)
        }
    }

    @Test(
        "filter",
        arguments: [
            ("Amount", ">", 0.1, 2), ("Amount", ">=", 0.1, 3), ("Amount", "<", 0, 1), ("Amount", "!=", 7, 4),
            ("Item", "=", "BREAD", 1), ("Item", "contains", "bread", 2), ("Item", "in", ["top", "kite", "x"], 2),
            ("Day", "=", "2024-02-29", 1), ("Day", "<=", "2024-02-01", 2), ("Day", ">", "2024-02-01T00:00:00Z", 2),
            ("Kind", "=", "toys", 2), ("Tags", "=", "old", 2), ("Paid", "=", true, 2), ("Paid", "=", false, 3),
            ("Shop", "=", "north", 2), ("Shop", "contains", "ou", 1), ("Tags", "empty", .null, 2),
            ("Tags", "notEmpty", .null, 3), ("Kind", "in", ["Toys", "food"], 4), ("Kind", "!=", "Food", 3),
            ("Amount", "in", [7, 0.2], 2), ("Day", "!=", "2024-02-29", 4), ("Paid", "!=", true, 3),
            ("Amount", "empty", .null, 1), ("Day", "in", ["2024-01-31", "2025-02-01"], 2),
        ] as [(String, String, JSONValue, Int)]
    )
    func filters(_ field: String, _ comparison: String, _ value: JSONValue, _ count: Int) async throws {
        try await withTools { world in
            let sales = try await Sales(world)
            var filter: JSONObject = ["field": .string(field), "op": .string(comparison)]
            if !value.isNull { filter["value"] = value }
            #expect(try await sales.values([["function": "count"]], [.object(filter)]) == [.number(JSONNumber(count))])
            let listed = try await world.call(
                "list_records",
                ["base": "Shop", "table": "Sales", "filter": [.object(filter)], "fields": ["Item"]]
            )
            #expect(listed.structured?["records"]?.arrayValue?.count == count, "\(listed.text)")
        }
    }

    @Test("what does not fit a field's type is refused with the reason")
    func refusals() async throws {
        try await withTools { world in
            let sales = try await Sales(world)
            #expect(
                try await sales.refusal(["measures": [["function": "sum", "field": "Item"]]]).contains("singleLineText")
            )
            #expect(try await sales.refusal(["measures": [["function": "sum"]]]).contains("needs a field"))
            #expect(try await sales.refusal(["measures": [["function": "max", "field": "Amuont"]]]).contains("Amount"))
            #expect(try await sales.refusal(["groupBy": [["field": "Kind", "bucket": "year"]]]).contains("bucket"))
            for filter: JSONValue in [
                ["field": "Amount", "op": "=", "value": "many"], ["field": "Day", "op": "<", "value": "soon"],
                ["field": "Paid", "op": "=", "value": "yes"], ["field": "Item", "op": "<", "value": "x"],
                ["field": "Amount", "op": "contains", "value": "1"], ["field": "Item", "op": "in", "value": "x"],
                ["field": "Item", "op": "empty", "value": "x"], ["field": "Item", "op": "=", "value": 3],
            ] {
                #expect(try await sales.refusal(["filter": [filter]]).contains("The filter can't be used"))
            }
        }
    }

    @Test("the text tells each group with its values")
    func text() async throws {
        try await withTools { world in
            _ = try await Sales(world)
            let result = try await world.call(
                "aggregate_records",
                [
                    "base": "Shop", "table": "Sales", "groupBy": [["field": "Kind"]],
                    "measures": [["function": "count"], ["function": "sum", "field": "Amount"]],
                ]
            )
            #expect(result.text.contains("Toys: count = 2, sum Amount = 4"))
            #expect(result.text.contains("(empty): count = 1, sum Amount = 0"))
        }
    }
}
