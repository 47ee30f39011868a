import Domain
import Testing

@Suite("JSON Schema")
struct JSONSchemaTests {
    private let search = JSONSchema.object(
        properties: [
            "query": .string(description: "What to look for. Plain words.", minLength: 1, maxLength: 10),
            "limit": .integer(description: "Hits", minimum: 1, maximum: 100, default: 10),
            "mode": .string(enum: ["semantic", "lexical"]),
            "tables": .array(of: .string(), maxItems: 2),
            "cursor": .string().nullable,
        ],
        required: ["query"],
        description: "Search"
    )

    @Test("is built with keywords in a stable order")
    func builds() {
        let expected =
            #"{"type":"object","description":"Search","properties":{"#
            + #""query":{"type":"string","description":"What to look for. Plain words.","minLength":1,"maxLength":10},"#
            + #""limit":{"type":"integer","description":"Hits","minimum":1,"maximum":100,"default":10},"#
            + #""mode":{"type":"string","enum":["semantic","lexical"]},"#
            + #""tables":{"type":"array","items":{"type":"string"},"maxItems":2},"cursor":{"type":["string","null"]}},"#
            + #""required":["query"],"additionalProperties":false}"#
        #expect(search.json.text == expected)
        let titled = JSONSchema.boolean(default: true).titled("T").described("D")
        #expect(titled.json.text == #"{"type":"boolean","default":true,"title":"T","description":"D"}"#)
        #expect(JSONSchema.string(enum: ["a"]).nullable.json["anyOf"]?[1] == ["type": "null"])
        #expect(JSONSchema.dictionary(of: .number()).json["additionalProperties"] == ["type": "number"])
    }

    @Test(
        "finds nothing wrong with what fits",
        arguments: [
            #"{"query":"a"}"#, #"{"query":"äöü日本語😀😀😀😀","limit":1}"#,
            #"{"query":"a","limit":100.0,"mode":"lexical"}"#,
            #"{"query":"a","tables":["x","y"],"cursor":null}"#, #"{"query":"a","cursor":"c"}"#,
        ]
    )
    func accepts(document: String) throws {
        #expect(search.violations(of: try JSONValue(parsing: document)) == [])
    }

    @Test(
        "says where and how, fit for a model to act on",
        arguments: [
            (#"[]"#, "must be an object, got an array"),
            (#"{}"#, #"must have the member "query" (What to look for)"#),
            (#"{"query":5}"#, "/query: must be a string, got a number"),
            (#"{"query":""}"#, "/query: must have at least 1 character, has 0"),
            (#"{"query":"12345678901"}"#, "/query: must have at most 10 characters, has 11"),
            (#"{"query":"a","limit":0}"#, "/limit: must be at least 1"),
            (#"{"query":"a","limit":1e2000}"#, ""),
            (#"{"query":"a","limit":101}"#, "/limit: must be at most 100"),
            (#"{"query":"a","limit":1.5}"#, "/limit: must be an integer, got a number"),
            (#"{"query":"a","limit":"5"}"#, "/limit: must be an integer, got a string"),
            (#"{"query":"a","mode":"Semantic"}"#, #"/mode: must be one of "semantic", "lexical""#),
            (#"{"query":"a","tables":"x"}"#, "/tables: must be an array, got a string"),
            (#"{"query":"a","tables":["x",1]}"#, "/tables/1: must be a string, got a number"),
            (#"{"query":"a","tables":["x","y","z"]}"#, "/tables: must have at most 2 items, has 3"),
            (#"{"query":"a","cursor":false}"#, "/cursor: must be a string or null, got a boolean"),
            (
                #"{"query":"a","Limit":5}"#,
                #"/Limit: unknown member; did you mean "limit"? Allowed: "query", "limit", "mode", "tables", "cursor""#
            ),
            (
                #"{"query":"a","a/b~c":5}"#,
                #"/a~1b~0c: unknown member; allowed: "query", "limit", "mode", "tables", "cursor""#
            ),
        ]
    )
    func refuses(document: String, violation: String) throws {
        guard let value = try? JSONValue(parsing: document) else { return #expect(violation.isEmpty) }
        #expect(search.violations(of: value).map(\.description) == [violation])
    }

    @Test("lists every violation up to the limit")
    func limits() {
        let list = JSONSchema.array(of: .integer())
        let value = JSONValue.array((0..<50).map { .string(String($0)) })
        #expect(list.violations(of: value).count == 20)
        #expect(list.violations(of: value, limit: 3).map(\.path) == ["/0", "/1", "/2"])
        #expect(search.violations(of: ["limit": "x", "mode": 1]).count == 3)
    }

    @Test("compares constants and enumerations as JSON values")
    func constants() {
        #expect(JSONSchema.constant(["a": 1, "b": 2]).violations(of: ["b": 2.0, "a": 1]) == [])
        #expect(JSONSchema.constant(1).violations(of: 2).map(\.message) == ["must be 1"])
        #expect(JSONSchema(json: ["enum": [1, "x", nil]]).violations(of: 1.0) == [])
        #expect(
            JSONSchema(json: ["enum": [1, "x", nil]]).violations(of: "1").map(\.message) == [
                #"must be one of 1, "x", null"#
            ]
        )
    }

    @Test("takes lists of types, and true and false for schemas")
    func loose() {
        let schema = JSONSchema(json: ["type": ["integer", "string"]])
        #expect(schema.violations(of: 1) == [])
        #expect(schema.violations(of: "a") == [])
        #expect(schema.violations(of: 1.5).map(\.message) == ["must be an integer or a string, got a number"])
        #expect(JSONSchema(json: true).violations(of: [1]) == [])
        #expect(JSONSchema.any.violations(of: [1]) == [])
        #expect(JSONSchema(json: false).violations(of: 1).map(\.message) == ["nothing is allowed here"])
    }

    @Test("of alternatives reports those of the form that was meant")
    func alternatives() {
        let schema = JSONSchema.anyOf([
            .string(), .object(properties: ["id": .integer()], required: ["id"]), .array(of: .integer()),
        ])
        #expect(schema.violations(of: "a") == [])
        #expect(schema.violations(of: ["id": 1]) == [])
        #expect(schema.violations(of: ["id": "x"]).map(\.description) == ["/id: must be an integer, got a string"])
        #expect(schema.violations(of: [1, "x"]).map(\.path) == ["/1"])
        #expect(
            schema.violations(of: true).map(\.message) == ["must be a string or an object or an array, got a boolean"]
        )

        let overlapping = JSONSchema.oneOf([.number(minimum: 0), .number(maximum: 10)])
        #expect(overlapping.violations(of: -1) == [])
        #expect(overlapping.violations(of: 11) == [])
        #expect(overlapping.violations(of: 5).map(\.message) == ["must fit exactly one of 2 forms, fits 2"])
        let tagged = JSONSchema.oneOf([
            .object(properties: ["kind": .constant("a"), "x": .integer()], required: ["kind"]),
            .object(properties: ["kind": .constant("b"), "y": .integer()], required: ["kind"]),
        ])
        #expect(tagged.violations(of: ["kind": "b", "y": 1]) == [])
        #expect(tagged.violations(of: ["kind": "c"]).count == 1)
    }

    @Test("compares bounds exactly, above 2⁵³ too")
    func exactBounds() {
        let schema = JSONSchema.integer(maximum: 9_007_199_254_740_992)
        #expect(schema.violations(of: 9_007_199_254_740_992) == [])
        #expect(schema.violations(of: 9_007_199_254_740_993).count == 1)
    }

    @Test("never repeats the value it refuses")
    func keepsSecrets() {
        let secret = "hunter2hunter2"
        for violation in search.violations(of: [
            "query": .string(secret), "mode": .string(secret), "limit": .string(secret),
        ]) {
            #expect(!violation.description.contains(secret))
        }
    }
}
