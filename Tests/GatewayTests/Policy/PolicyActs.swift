import Domain
import Testing

@testable import Gateway

/// Something that is done through MCP, and what of it may be unknown to who does it.
struct PolicyAct: Sendable {
    let method: String
    /// What it speaks of: a name or an identifier.
    let named: String
    /// One of the same kind that is not there: who is not to know of the other gets the same answer for both.
    let twin: String
    let params: @Sendable (_ name: String) -> JSONObject

    init(_ method: String, _ named: String, _ twin: String, _ params: @escaping @Sendable (String) -> JSONObject) {
        (self.method, self.named, self.twin, self.params) = (method, named, twin, params)
    }
}

/// The acts of the tables, by name.
struct PolicyActs {
    let world: PolicyWorld
    /// Tells what is written by one from what others write.
    let salt: String

    static let base = "Periodic table"
    private static let place: JSONObject = ["base": "Periodic table", "table": "Elements"]
    var baseID: String { world.fixture.base.id.description }
    var elements: String { world.fixture.elements.id.description }
    var helium: JSONValue { .string(world.fixture.records[0].id.description) }
    var blank: JSONValue { .string(world.blanks[salt]?.description ?? "") }

    func tool(
        _ name: String,
        _ named: String,
        _ twin: String,
        _ arguments: @escaping @Sendable (String) -> JSONObject
    ) -> PolicyAct {
        PolicyAct("tools/call", named, twin) { ["name": .string(name), "arguments": .object(arguments($0))] }
    }

    /// In the base that all but the stranger see.
    func inBase(_ name: String, _ more: JSONObject = [:]) -> PolicyAct {
        tool(name, Self.base, "Periodic gable") { more.merging(["base": .string($0)]) }
    }

    func inTable(_ name: String, _ more: JSONObject = [:]) -> PolicyAct {
        inBase(name, more.merging(["table": "Elements"]))
    }

    /// With something in the table that may be hidden.
    func of(
        _ named: String,
        _ twin: String,
        _ name: String,
        _ more: @escaping @Sendable (JSONValue) -> JSONObject
    ) -> PolicyAct {
        tool(name, named, twin) { Self.place.merging(more(.string($0))) }
    }

    func ofField(_ name: String, _ more: @escaping @Sendable (JSONValue) -> JSONObject) -> PolicyAct {
        of("Zzfield", "Zzpaint", name, more)
    }

    func ofRecord(_ name: String, _ more: @escaping @Sendable (JSONValue) -> JSONObject) -> PolicyAct {
        of(world.record.description, "recAAAAAAAAAAAAAA", name, more)
    }

    // MARK: Reading

    var reading: [String: PolicyAct] { looking.merging(records.merging(searches) { $1 }) { $1 } }

    private var looking: [String: PolicyAct] {
        [
            "list_bases": tool("list_bases", "", "") { _ in [:] },
            "list_tables": inBase("list_tables"),
            "list_tables of the base": tool("list_tables", "Zzbase", "Zzvase") { ["base": .string($0)] },
            "list_tables of nearly the base": tool("list_tables", "Zzbas", "Zzvas") { ["base": .string($0)] },
            "describe_table": inTable("describe_table", ["detail": "full"]),
            "describe_table for a question": inTable("describe_table", ["question": "zz"]),
            "describe the table": tool("describe_table", "Zztable", "Zzgable") {
                ["base": "Periodic table", "table": .string($0)]
            },
            "describe nearly the table": tool("describe_table", "Zztabl", "Zzgabl") {
                ["base": "Periodic table", "table": .string($0)]
            },
            "list_changes": inBase("list_changes", ["limit": 100, "cursor": "a0"]),
            "list_changes of the record": ofRecord("list_changes") { ["recordId": $0] },
            "list_changes of the table": tool("list_changes", "Zztable", "Zzgable") {
                ["base": "Periodic table", "table": .string($0)]
            },
            "list_comments": inTable("list_comments", ["recordId": helium]),
            "list_comments of the record": ofRecord("list_comments") { ["recordId": $0] },
        ]
    }

    private var records: [String: PolicyAct] {
        [
            "list_records": inTable("list_records", ["limit": 100]),
            "list_records of the table": tool("list_records", "Zztable", "Zzgable") {
                ["base": "Periodic table", "table": .string($0)]
            },
            "list_records with the field": ofField("list_records") { ["fields": [$0]] },
            "list_records with nearly the field": of("Zzfiel", "Zzpain", "list_records") { ["fields": [$0]] },
            "list_records by the field": ofField("list_records") { ["sort": [["field": $0]], "limit": 100] },
            "list_records where the field": ofField("list_records") { ["filter": [["field": $0, "op": "notEmpty"]]] },
            "list_records by its formula": ofField("list_records") {
                ["formula": .string("FIND('cell', {\($0.stringValue ?? "")})")]
            },
            "list_records by nearly its formula": of("Zzfiel", "Zzpain", "list_records") {
                ["formula": .string("{\($0.stringValue ?? "")}=1")]
            },
            "list_records of the view": of("Zzfview", "Zzpview", "list_records") { ["view": $0] },
            "list_records of nearly the view": of("Zzfvie", "Zzpvie", "list_records") { ["view": $0] },
            "get_record": inTable("get_record", ["recordId": helium]),
            "get the record": ofRecord("get_record") { ["recordId": $0] },
            "get_record with the field": ofField("get_record") { [helium] in ["recordId": helium, "fields": [$0]] },
            "aggregate by name": inTable("aggregate_records", ["groupBy": [["field": "Name"]], "limit": 100]),
            "aggregate by the field": ofField("aggregate_records") { ["groupBy": [["field": $0]]] },
            "aggregate the field": ofField("aggregate_records") {
                [
                    "measures": [["function": "distinct", "field": $0], ["function": "count"]],
                    "groupBy": [["field": $0]],
                ]
            },
            "aggregate where the field": ofField("aggregate_records") {
                ["filter": [["field": $0, "op": "notEmpty"]], "groupBy": [["field": $0]]]
            },
        ]
    }

    private var searches: [String: PolicyAct] {
        func search(_ query: String, _ more: JSONObject = [:]) -> PolicyAct {
            tool("search_records", "", "") { _ in more.merging(["query": .string(query), "limit": 50]) }
        }
        return [
            "search": search("gas in lamps and balloons, row"),
            "search its words": search("zzfcell", ["mode": "lexical"]),
            "search the record's words": search("zzrnote", ["mode": "lexical"]),
            "search the table": tool("search_records", "Zztable", "Zzgable") {
                ["query": "zztrow", "tables": [.string($0)]]
            },
            "search the base": tool("search_records", "Zzbase", "Zzvase") {
                ["query": "zzbrow", "bases": [.string($0)]]
            },
            "search in the field": tool("search_records", "Zzfield", "Zzpaint") {
                ["query": "gas", "tables": ["Elements"], "fields": [.string($0)], "limit": 2]
            },
            "search by its formula": tool("search_records", "Zzfield", "Zzpaint") {
                ["query": "gas in balloons", "tables": ["Elements"], "formula": .string("FIND('cell', {\($0)})")]
            },
            "find_similar": tool("find_similar", helium.stringValue ?? "", "recAAAAAAAAAAAAAA") {
                ["recordId": .string($0), "limit": 50]
            },
            "find similar to the record": tool("find_similar", world.record.description, "recAAAAAAAAAAAAAA") {
                ["recordId": .string($0), "limit": 50]
            },
            "ask": tool("ask", "", "") { _ in ["question": "Which gas is in lamps?"] },
        ]
    }
}

extension JSONObject {
    func merging(_ other: JSONObject) -> JSONObject {
        var all = self
        for (key, value) in other { all[key] = value }
        return all
    }
}
