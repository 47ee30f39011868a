import Domain
import Foundation
import Testing

private struct Sample: Codable, Equatable {
    var text: String
    var flag: Bool
    var whole: Int
    var small: Int8
    var large: UInt64
    var real: Double
    var single: Float
    var optional: String?
    var list: [Int?]
    var nested: [String: [Bool]]
    var table: TableID
    var byTable: [TableID: Int]
    var byNumber: [Int: String]
    var type: FieldType
    var time: Instant
    var date: CalendarDate

    static let ordinary = Sample(
        text: "a\n\"é\"",
        flag: true,
        whole: -5,
        small: -128,
        large: .max,
        real: 0.1,
        single: 0.1,
        optional: nil,
        list: [1, nil, 3],
        nested: ["b": [true], "a": []],
        table: TableID("tblAAAAAAAAAAAAAA")!,
        byTable: [TableID("tblBBBBBBBBBBBBBB")!: 2, TableID("tblAAAAAAAAAAAAAA")!: 1],
        byNumber: [2: "two", 1: "one"],
        type: .singleSelect,
        time: Instant(milliseconds: 1_714_567_890_123),
        date: CalendarDate(daysSinceEpoch: 19_844)
    )

    static let text =
        #"{"text":"a\n\"é\"","flag":true,"whole":-5,"small":-128,"large":18446744073709551615,"real":0.1,"#
        + #""single":0.1,"list":[1,null,3],"nested":{"a":[],"b":[true]},"table":"tblAAAAAAAAAAAAAA","#
        + #""byTable":{"tblAAAAAAAAAAAAAA":1,"tblBBBBBBBBBBBBBB":2},"byNumber":{"1":"one","2":"two"},"#
        + #""type":"singleSelect","time":"2024-05-01T12:51:30.123Z","date":"2024-05-01"}"#
}

/// Uses what synthesised code never does: nested containers filled in turns, super encoders, late values.
private class Parent: Codable, Equatable {
    var name: String
    init(name: String) { self.name = name }
    static func == (left: Parent, right: Parent) -> Bool { left.name == right.name }
}

private final class Child: Parent {
    let points: [[Int]]
    let more: String

    enum Keys: String, CodingKey { case points, outer, inner, parent }

    init(name: String, points: [[Int]], more: String) {
        self.points = points
        self.more = more
        super.init(name: name)
    }

    required init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        var rows = try container.nestedUnkeyedContainer(forKey: .points)
        var points: [[Int]] = []
        while !rows.isAtEnd {
            var row = try rows.nestedUnkeyedContainer()
            points.append([])
            while !row.isAtEnd { points[points.count - 1].append(try row.decode(Int.self)) }
        }
        self.points = points
        more = try container.nestedContainer(keyedBy: Keys.self, forKey: .outer).decode(String.self, forKey: .inner)
        try super.init(from: container.superDecoder(forKey: .parent))
    }

    override func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        let parent = container.superEncoder(forKey: .parent)
        var rows = container.nestedUnkeyedContainer(forKey: .points)
        var outer = container.nestedContainer(keyedBy: Keys.self, forKey: .outer)
        for point in points {
            var row = rows.nestedUnkeyedContainer()
            for value in point { try row.encode(value) }
        }
        try outer.encode(more, forKey: .inner)
        try super.encode(to: parent)
    }
}

@Suite("Codable over JSON")
struct JSONCoderTests {
    private func decode<T: Decodable>(_ type: T.Type, _ text: String) throws -> T {
        try JSONCoder.decode(type, from: Array(text.utf8))
    }

    private func encode(_ value: some Encodable) throws -> String {
        String(decoding: try JSONCoder.encode(value), as: UTF8.self)
    }

    @Test("encodes members in order and dictionaries sorted, and reads them back")
    func roundTrip() throws {
        #expect(try encode(Sample.ordinary) == Sample.text)
        #expect(try decode(Sample.self, Sample.text) == Sample.ordinary)
        #expect(try JSONCoder.decode(Sample.self, from: JSONCoder.value(of: Sample.ordinary)) == Sample.ordinary)
    }

    @Test("agrees with Foundation in both directions")
    func agreesWithFoundation() throws {
        let theirs = try JSONEncoder().encode(Sample.ordinary)
        #expect(try JSONCoder.decode(Sample.self, from: Array(theirs)) == Sample.ordinary)
        #expect(try JSONDecoder().decode(Sample.self, from: Data(JSONCoder.encode(Sample.ordinary))) == Sample.ordinary)
        let value = try JSONValue(parsing: Sample.text)
        #expect(try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(value)) == value)
        #expect(try JSONDecoder().decode(RawJSON.self, from: Data("[ 1, {} ]".utf8)).text == "[1,{}]")
    }

    @Test("fills nested containers and super encoders in turns")
    func containers() throws {
        let child = Child(name: "p", points: [[1, 2], [], [3]], more: "m")
        let text = #"{"parent":{"name":"p"},"points":[[1,2],[],[3]],"outer":{"inner":"m"}}"#
        #expect(try encode(child) == text)
        let read = try decode(Child.self, text)
        #expect(read == child)
        #expect(read.points == child.points)
        #expect(read.more == "m")
    }

    @Test("passes raw values through byte by byte")
    func rawValues() throws {
        struct Envelope: Codable {
            let id: RawJSON
            let params: RawJSON?
            let value: JSONValue
            let number: JSONNumber
            let object: JSONObject
        }
        let text =
            #"{"id":1.50e+1,"params":{ "b" : "\u0041\/" , "a":[ ] },"value":{"z":1.0,"a":"A"},"#
            + #""number":1E2,"object":{"k":-0}}"#
        let envelope = try decode(Envelope.self, text)
        #expect(envelope.id.text == "1.50e+1")
        #expect(envelope.params?.text == #"{ "b" : "\u0041\/" , "a":[ ] }"#)
        #expect(envelope.params?.value == ["a": [], "b": "A/"])
        #expect(try encode(envelope) == text)
        #expect(try JSONCoder.value(of: envelope) == JSONValue(parsing: text))
        #expect(try RawJSON(validating: Array(" [1] \n".utf8)).text == "[1]")
        #expect(throws: JSONError.self) { try RawJSON(validating: Array("[1] 2".utf8)) }
    }

    @Test("passes JSON through types that wrap it, spelling and order kept")
    func wrappedValues() throws {
        struct Wrapped<Inner: Codable>: Codable {
            let inner: Inner
            init(from decoder: any Decoder) throws { inner = try Inner(from: decoder) }
            func encode(to encoder: any Encoder) throws { try inner.encode(to: encoder) }
        }
        func passed<T: Codable>(_ type: T.Type, _ text: String) throws -> String {
            try encode(decode([Wrapped<T>].self, text))
        }
        #expect(try passed(RawJSON.self, #"[{ "b":1.0 , "a":[1E2] }]"#) == #"[{ "b":1.0 , "a":[1E2] }]"#)
        #expect(try passed(JSONValue.self, #"[{"b":1.0,"a":[1E2]}]"#) == #"[{"b":1.0,"a":[1E2]}]"#)
        #expect(try passed(JSONObject.self, #"[{"b":1.0,"a":[1E2]}]"#) == #"[{"b":1.0,"a":[1E2]}]"#)
        #expect(try passed(JSONNumber.self, "[1.00,-0]") == "[1.00,-0]")
        #expect(try passed(String.self, #"["a"]"#) == #"["a"]"#)
        #expect(try passed(Int?.self, "[1,null]") == "[1,null]")
        #expect(throws: JSONError.self) { try passed(JSONObject.self, "[[]]") }
    }

    @Test("takes whole numbers in any spelling and refuses what is out of range")
    func integers() throws {
        #expect(try decode([Int].self, "[1, 1.0, 1e3, -0]") == [1, 1, 1_000, 0])
        #expect(try decode(UInt64.self, "18446744073709551615") == .max)
        for document in ["[128]", "[-129]", "[1.5]", "[1e30]", "[1e-1]"] {
            let error = #expect(throws: JSONError.self) { try decode([Int8].self, document) }
            #expect(error?.code == .invalidValue)
            #expect(error?.message == "at [0]: expected a whole number from -128 to 127")
        }
        #expect(throws: JSONError.self) { try decode(UInt.self, "-1") }
        #expect(try decode(Float.self, "3.4028234663852886e38") == .greatestFiniteMagnitude)
        #expect(throws: JSONError.self) { try decode(Float.self, "1e39") }
        #expect(try decode(Double.self, "123456789012345678901234567890") == 123456789012345678901234567890.0)
    }

    struct Misfit: Sendable {
        let document: String
        let code: JSONError.Code
        let path: String
        let message: String
    }

    @Test(
        "says where a value does not fit, and how",
        arguments: [
            Misfit(document: "[]", code: .typeMismatch, path: "", message: "expected an object, found an array"),
            Misfit(document: "{}", code: .missingKey, path: "", message: "the member 'records' is missing"),
            Misfit(
                document: #"{"records":null}"#,
                code: .missingValue,
                path: "records",
                message: "at records: expected an array, found null"
            ),
            Misfit(
                document: #"{"records":[{"fields":{"Due date":1}},{"fields":{"Due date":"x"}}]}"#,
                code: .typeMismatch,
                path: #"records[1].fields["Due date"]"#,
                message: #"at records[1].fields["Due date"]: expected a number, found a string"#
            ),
            Misfit(
                document: #"{"records":[{}]}"#,
                code: .missingKey,
                path: "records[0]",
                message: "at records[0]: the member 'fields' is missing"
            ),
            Misfit(
                document: #"{"records":[],"type":"secret"}"#,
                code: .invalidValue,
                path: "type",
                message: "at type: expected one of 'number', 'text'"
            ),
            Misfit(
                document: #"{"records":[],"table":"appAAAAAAAAAAAAAA"}"#,
                code: .invalidValue,
                path: "table",
                message: "at table: expected tbl and 14 letters or digits"
            ),
            Misfit(
                document: #"{"records":[],"pair":[1]}"#,
                code: .missingValue,
                path: "pair[1]",
                message: "at pair[1]: the array has only 1 elements"
            ),
        ]
    )
    func misfits(_ misfit: Misfit) throws {
        enum Kind: String, Codable, CaseIterable { case number, text }
        struct Pair: Decodable {
            init(from decoder: any Decoder) throws {
                var container = try decoder.unkeyedContainer()
                _ = try (container.decode(Int.self), container.decode(Int.self))
            }
        }
        struct Record: Decodable { let fields: [String: Double] }
        struct Page: Decodable {
            let records: [Record]
            let type: Kind?
            let table: TableID?
            let pair: Pair?
        }
        let error = try #require(throws: JSONError.self) { try decode(Page.self, misfit.document) }
        #expect(error.code == misfit.code)
        #expect(error.path == misfit.path)
        #expect(error.message == misfit.message)
        #expect(error.kind == .invalid)
    }

    @Test("refuses to encode what is not finite, and says where")
    func refusesInfinite() throws {
        struct Row: Encodable { let cells: [String: [Double]] }
        let error = #expect(throws: JSONError.self) { try JSONCoder.encode(Row(cells: ["a b": [1, .nan]])) }
        #expect(error?.code == .notRepresentable)
        #expect(error?.path == #"cells["a b"][1]"#)
        #expect(throws: JSONError.self) { try JSONCoder.value(of: Float.infinity) }
    }

    @Test("reports broken text with its place")
    func brokenText() {
        let error = #expect(throws: JSONError.self) { try decode([Int].self, "[1,]") }
        #expect(error?.code == .unexpectedByte)
        #expect(error?.position?.offset == 3)
    }

    @Test("finds members among hundreds, escaped ones too")
    func wideObjects() throws {
        let text = "{" + (0..<300).map { "\"\\u006bey \($0)\":\($0)" }.joined(separator: ",") + "}"
        let dictionary = try decode([String: Int].self, text)
        #expect(dictionary.count == 300)
        #expect(dictionary["key 123"] == 123)
        let again = try encode(dictionary)
        #expect(try decode([String: Int].self, again) == dictionary)
        #expect(try encode(decode([String: Int].self, again)) == again)
    }

    @Test("encodes what has no members as an empty object, and scalars at the root")
    func roots() throws {
        struct Empty: Codable {}
        #expect(try encode(Empty()) == "{}")
        #expect(try encode([Empty()]) == "[{}]")
        #expect(try encode("x") == "\"x\"")
        #expect(try encode(Optional<Int>.none) == "null")
        #expect(try decode(String?.self, "null") == nil)
        #expect(try encode(Float(16_777_216)) == "16777216")
        #expect(JSONNumber(Float(0.1))?.text == "0.1")
        #expect(JSONNumber(Float.nan) == nil)
        #expect(try encode(-0.0) == "-0")
    }

    @Test("leaves errors that a type throws itself as they are")
    func foreignErrors() {
        struct Own: Error, Equatable {}
        struct Picky: Codable {
            init() {}
            init(from decoder: any Decoder) throws { throw Own() }
            func encode(to encoder: any Encoder) throws { throw Own() }
        }
        #expect(throws: Own()) { try decode([Picky].self, "[1]") }
        #expect(throws: Own()) { try JSONCoder.encode([Picky()]) }
    }
}
