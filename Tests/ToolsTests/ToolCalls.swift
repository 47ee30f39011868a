import Domain

/// Calls of every tool that must succeed, for those who look at all tools. A tool without one fails `CatalogueTests`.
enum ToolCalls {
    static func all(_ world: ToolsFixture) -> [String: [JSONObject]] { reading(world) }

    static func reading(_ world: ToolsFixture) -> [String: [JSONObject]] {
        let place: JSONObject = ["base": "Library", "table": "Books"]
        func at(_ more: JSONObject) -> JSONObject { JSONObject(place.map { $0 } + more.map { $0 }) }
        let moby = JSONValue.string(world.moby.description)
        return [
            "list_bases": [[:]],
            "list_tables": [
                ["base": "Library"], ["base": "Library", "question": "who wrote it?", "limit": 1],
                ["base": "Library", "cursor": "at1"],
            ],
            "describe_table": [place]
                + ["names", "fields", "full"].map { at(["detail": .string($0), "question": "shelf"]) },
            "list_records": [
                place,
                at([
                    "fields": ["Title", "Pages"], "filter": [["field": "Pages", "op": ">", "value": 1]],
                    "formula": "{Pages}<1000", "sort": [["field": "Title", "direction": "desc"]], "view": "Grid view",
                    "limit": 1, "maxTokens": 500,
                ]),
            ],
            "get_record": [at(["recordId": moby]), at(["recordId": moby, "fields": ["Author"]])],
            "search_records": [
                ["query": "whale"],
                ["query": "whale", "bases": ["Library"], "tables": ["Books"], "fields": ["Summary"], "limit": 2],
                ["query": "whale", "formula": "{Pages}>1", "mode": "lexical", "minScore": 0],
            ],
            "find_similar": [["recordId": moby, "limit": 2, "tables": ["Books"], "bases": ["Library"]]],
            "ask": [["question": "Who hunts a white whale?", "tables": ["Books"], "bases": ["Library"]]],
            "aggregate_records": [
                place,
                at([
                    "measures": [["function": "count"], ["function": "max", "field": "Pages"]],
                    "groupBy": [["field": "Shelf"]], "filter": [["field": "Pages", "op": "notEmpty"]],
                    "formula": "{Pages}>1", "limit": 3,
                ]),
            ],
            "list_changes": [["base": "Library"], at(["recordId": moby, "limit": 1]), at(["cursor": "a0"])],
            "list_comments": [at(["recordId": moby]), at(["recordId": moby, "limit": 1])],
        ]
    }
}
