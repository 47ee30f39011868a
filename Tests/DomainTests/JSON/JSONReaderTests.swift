import Domain
import Testing

@Suite("Reading JSON (RFC 8259)")
struct JSONReaderTests {
    /// A document and what it means, in compact form.
    struct Accepted: CustomTestStringConvertible {
        let document: String
        let text: String
        var testDescription: String { document }

        init(_ document: String, _ text: String? = nil) {
            self.document = document
            self.text = text ?? document
        }
    }

    struct Refused: CustomTestStringConvertible {
        let document: String
        let code: JSONError.Code
        let offset: Int
        var testDescription: String { "\(document.debugDescription) at \(offset): \(code)" }

        init(_ document: String, _ code: JSONError.Code, at offset: Int) {
            self.document = document
            self.code = code
            self.offset = offset
        }
    }

    @Test(
        "takes every form of value, at the root too",
        arguments: [
            Accepted("null"), Accepted("true"), Accepted("false"), Accepted("0"), Accepted("\"\""), Accepted("[]"),
            Accepted("{}"), Accepted(" \t\r\n[ ]\n", "[]"),
            Accepted("{ \"a\" : [ 1 , 2 ] , \"b\" : { } }", "{\"a\":[1,2],\"b\":{}}"),
            Accepted("[[],[[]],{},[{}]]"), Accepted("[null,true,false]"), Accepted("{\"\":0}"),
            Accepted("{\"a\":1,\"A\":2}"),
        ]
    )
    func acceptsForms(_ sample: Accepted) throws {
        #expect(try JSONValue(parsing: sample.document).text == sample.text)
    }

    @Test(
        "takes every form of number and keeps its spelling (section 6)",
        arguments: [
            "0", "-0", "-0.0", "1", "-1", "10", "0.5", "-0.5", "1e5", "1E5", "1e+5", "1e-5", "1.25E-02", "0e0",
            "0e999999999999",
            "123456789012345678901234567890", "0.1000000000000000055511151231257827", "1e308", "1.7976931348623157e308",
            "1.7976931348623158e308", "-1.7976931348623157e308", "4.9e-324", "1e-400", "1e-99999999999999999999",
            "0.0e-9223372036854775808", "1.5e-9223372036854775808", "0e9223372036854775807",
            "0.00000000000000000000000000000000000000001e340", "1000000000000000000000e287",
        ]
    )
    func acceptsNumbers(_ literal: String) throws {
        let value = try JSONValue(parsing: "[\(literal)]")
        #expect(value[0]?.numberValue?.text == literal)
        #expect(value[0]?.doubleValue == Double(literal))
        #expect(value.text == "[\(literal)]")
    }

    @Test(
        "refuses what is no number",
        arguments: [
            Refused("01", .invalidNumber, at: 0), Refused("-01", .invalidNumber, at: 1),
            Refused("[00]", .invalidNumber, at: 1),
            Refused("1.", .unexpectedEnd, at: 2), Refused("[1.]", .invalidNumber, at: 3),
            Refused("-", .unexpectedEnd, at: 1),
            Refused("[-]", .invalidNumber, at: 2), Refused("1e", .unexpectedEnd, at: 2),
            Refused("[1e]", .invalidNumber, at: 3),
            Refused("[1e+]", .invalidNumber, at: 4), Refused("[1e5.5]", .unexpectedByte, at: 4),
            Refused("[-Infinity]", .invalidNumber, at: 2), Refused("+1", .unexpectedByte, at: 0),
            Refused(".5", .unexpectedByte, at: 0),
            Refused("NaN", .unexpectedByte, at: 0), Refused("Infinity", .unexpectedByte, at: 0),
            Refused("0x10", .trailingBytes, at: 1),
            Refused("1_000", .trailingBytes, at: 1), Refused("[1 2]", .unexpectedByte, at: 3),
            Refused("１", .unexpectedByte, at: 0),
        ]
    )
    func refusesNumbers(_ sample: Refused) { expectRefusal(sample) }

    @Test(
        "refuses numbers that a Double would hold as infinite",
        arguments: [
            "1e309", "-1e309", "1e999999999999999999999", "1.7976931348623159e308", "179769313486231590e291",
            "1" + String(repeating: "0", count: 309), "0.0001e313",
        ]
    )
    func refusesInfinite(_ literal: String) {
        expectRefusal(Refused("[\(literal)]", .numberOutOfRange, at: 1))
    }

    @Test(
        "decodes every escape (section 7)",
        arguments: [
            ("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\u{8}\u{C}\n\r\t"), ("\"\\u0041\\u00e9\\u00E9\"", "Aéé"),
            ("\"\\u0000\"", "\0"), ("\"\\uD83D\\uDE00\"", "😀"), ("\"\\ud83d\\ude00x\"", "😀x"),
            ("\"\\uFFFF\"", "\u{FFFF}"),
            ("\"\\uDBFF\\uDFFF\"", "\u{10FFFF}"), ("\"a\\u2028b\u{2028}\"", "a\u{2028}b\u{2028}"),
            ("\"\u{7F}\u{80}\"", "\u{7F}\u{80}"),
            ("\"\\u0800\\u07ff\\ud7ff\\ue000\"", "\u{800}\u{7FF}\u{D7FF}\u{E000}"),
        ]
    )
    func decodesEscapes(document: String, text: String) throws {
        let value = try JSONValue(parsing: document).stringValue
        #expect(value.map { Array($0.utf8) } == Array(text.utf8))
    }

    @Test(
        "refuses what is no string",
        arguments: [
            Refused("\"", .unexpectedEnd, at: 1), Refused("\"abc", .unexpectedEnd, at: 4),
            Refused("\"a\u{1F}\"", .controlCharacter, at: 2),
            Refused("\"\n\"", .controlCharacter, at: 1), Refused("\"\0\"", .controlCharacter, at: 1),
            Refused("\"\\\"", .unexpectedEnd, at: 3), Refused("\"\\", .unexpectedEnd, at: 2),
            Refused("\"\\x41\"", .invalidEscape, at: 1),
            Refused("\"\\u12\"", .invalidEscape, at: 1), Refused("\"\\u12", .unexpectedEnd, at: 5),
            Refused("\"\\u12G4\"", .invalidEscape, at: 1),
            Refused("\"\\U0041\"", .invalidEscape, at: 1), Refused("\"ab\\ud800\"", .loneSurrogate, at: 3),
            Refused("\"\\udc00\"", .loneSurrogate, at: 1), Refused("\"\\ud800x\"", .loneSurrogate, at: 1),
            Refused("\"\\ud800\\n\"", .loneSurrogate, at: 1), Refused("\"\\ud800\\ud800\"", .loneSurrogate, at: 1),
            Refused("\"\\ude00\\ud83d\"", .loneSurrogate, at: 1), Refused("'a'", .unexpectedByte, at: 0),
        ]
    )
    func refusesStrings(_ sample: Refused) { expectRefusal(sample) }

    @Test(
        "refuses what is no document",
        arguments: [
            Refused("", .unexpectedEnd, at: 0), Refused(" \n", .unexpectedEnd, at: 2),
            Refused("nul", .unexpectedEnd, at: 3),
            Refused("nulL", .unexpectedByte, at: 3), Refused("True", .unexpectedByte, at: 0),
            Refused("truex", .trailingBytes, at: 4),
            Refused("[", .unexpectedEnd, at: 1), Refused("[1", .unexpectedEnd, at: 2),
            Refused("[1,", .unexpectedEnd, at: 3),
            Refused("[1,]", .unexpectedByte, at: 3), Refused("[,1]", .unexpectedByte, at: 1),
            Refused("[1}", .unexpectedByte, at: 2),
            Refused("]", .unexpectedByte, at: 0), Refused("[]]", .trailingBytes, at: 2),
            Refused("{", .unexpectedEnd, at: 1),
            Refused("{\"a\"", .unexpectedEnd, at: 4), Refused("{\"a\":", .unexpectedEnd, at: 5),
            Refused("{\"a\":1", .unexpectedEnd, at: 6),
            Refused("{\"a\":1,}", .unexpectedByte, at: 7), Refused("{\"a\" 1}", .unexpectedByte, at: 5),
            Refused("{a:1}", .unexpectedByte, at: 1),
            Refused("{1:1}", .unexpectedByte, at: 1), Refused("{\"a\":}", .unexpectedByte, at: 5),
            Refused("{\"a\":1]", .unexpectedByte, at: 6),
            Refused("{,}", .unexpectedByte, at: 1), Refused("1 2", .trailingBytes, at: 2),
            Refused("{}{}", .trailingBytes, at: 2),
            Refused("[1] // no", .trailingBytes, at: 4), Refused("/* no */ 1", .unexpectedByte, at: 0),
            Refused("\u{A0}1", .unexpectedByte, at: 0),
            Refused("\u{C}1", .unexpectedByte, at: 0), Refused("1\0", .trailingBytes, at: 1),
            Refused("\u{FEFF}1", .byteOrderMark, at: 0),
            Refused("[1]\u{FEFF}", .trailingBytes, at: 3),
        ]
    )
    func refusesDocuments(_ sample: Refused) { expectRefusal(sample) }

    @Test(
        "refuses a key that stands twice, however it is spelt",
        arguments: [
            Refused("{\"a\":1,\"a\":1}", .duplicateKey, at: 7),
            Refused("{\"a\":1,\"b\":2,\"\\u0061\":3}", .duplicateKey, at: 13),
            Refused("[{\"x\":{\"\":0,\"\":0}}]", .duplicateKey, at: 12),
            Refused("{\"\\ud83d\\ude00\":1,\"😀\":2}", .duplicateKey, at: 18),
            Refused("{\"a\\nb\":1,\"a\\u000ab\":2}", .duplicateKey, at: 10),
            Refused("{\"long key number 1\":{\"a\":[1,2]},\"b\":0,\"long key number 1\":1}", .duplicateKey, at: 39),
        ]
    )
    func refusesDuplicates(_ sample: Refused) { expectRefusal(sample) }

    @Test("tells keys apart that are only canonically equivalent")
    func keepsEquivalentKeysApart() throws {
        let value = try JSONValue(parsing: "{\"\u{E9}\":1,\"e\u{301}\":2}")
        #expect(value["\u{E9}"] == 1)
        #expect(value["e\u{301}"] == 2)
        #expect(value.objectValue?.count == 2)
    }

    @Test("finds the one duplicate among many keys", arguments: [2, 16, 24, 25, 26, 300], [false, true])
    func findsDuplicateAmongMany(count: Int, isEscaped: Bool) throws {
        let members = (0..<count).map { "\"key \($0)\":\($0)" }
        let whole = "{" + members.joined(separator: ",") + "}"
        #expect(try JSONValue(parsing: whole).objectValue?.keys == (0..<count).map { "key \($0)" })
        let again = isEscaped ? "\"\\u006bey \(count / 2)\":0" : "\"key \(count / 2)\":0"
        let broken = "{" + (members + [again]).joined(separator: ",") + "}"
        expectRefusal(Refused(broken, .duplicateKey, at: whole.utf8.count))
    }

    private func expectRefusal(_ sample: Refused) {
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: sample.document) }
        #expect(error?.code == sample.code)
        #expect(error?.position?.offset == sample.offset)
    }
}

@Suite("Reading JSON: bytes, places and bounds")
struct JSONReaderBoundsTests {
    @Test(
        "takes each length of well-formed UTF-8, at its borders (Unicode 16, table 3-7)",
        arguments: [
            [0xC2, 0x80], [0xDF, 0xBF], [0xE0, 0xA0, 0x80], [0xED, 0x9F, 0xBF], [0xEE, 0x80, 0x80], [0xEF, 0xBF, 0xBF],
            [0xF0, 0x90, 0x80, 0x80], [0xF4, 0x8F, 0xBF, 0xBF],
        ] as [[UInt8]]
    )
    func takesWellFormed(_ scalar: [UInt8]) throws {
        for padding in 0..<9 {
            let content = [UInt8](repeating: 0x61, count: padding) + scalar + [0x62]
            let value = try JSONValue(parsing: [0x22] + content + [0x22])
            #expect(value.stringValue.map { Array($0.utf8) } == content)
        }
    }

    @Test(
        "refuses ill-formed UTF-8: overlong, surrogate, too large, cut off, stray",
        arguments: [
            [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x41], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF],
            [0xE2, 0x82],
            [0xE2, 0x82, 0x41], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF0, 0x80, 0x80, 0x80],
            [0xF0, 0x8F, 0xBF, 0xBF],
            [0xF0, 0x9F, 0x98], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFE], [0xFF],
        ] as [[UInt8]]
    )
    func refusesIllFormed(_ scalar: [UInt8]) {
        for padding in 0..<9 {
            let document = [0x22] + [UInt8](repeating: 0x61, count: padding) + scalar + [0x22]
            let error = #expect(throws: JSONError.self) { try JSONValue(parsing: document) }
            #expect(error?.code == .invalidUTF8)
            #expect(error?.position?.offset == 1 + padding)
        }
    }

    @Test("refuses bytes above ASCII outside strings")
    func refusesForeignBytes() {
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: [0x5B, 0xC3, 0xA9, 0x5D]) }
        #expect(error?.code == .unexpectedByte)
    }

    @Test("notices a quote, a backslash and a control character at every distance")
    func noticesAtEveryDistance() throws {
        for padding in 0..<20 {
            let text = String(repeating: "x", count: padding)
            #expect(try JSONValue(parsing: "\"\(text)\"").stringValue == text)
            #expect(try JSONValue(parsing: "\"\(text)\\n!\"").stringValue == text + "\n!")
            let error = #expect(throws: JSONError.self) { try JSONValue(parsing: "\"\(text)\u{1}\"") }
            #expect(error?.position?.offset == padding + 1)
        }
    }

    @Test("counts lines by LF and columns by scalars")
    func tellsPlaces() {
        let document = "{\n  \"ä\": 1,\r\n  \"日本😀\": x\n}"
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: document) }
        #expect(error?.position == JSONPosition(offset: 30, line: 3, column: 10))
        #expect(error?.message == "JSON is refused at line 3, column 10 (byte 30): found 'x' where a value should be")
        #expect(error?.kind == .invalid)
    }

    @Test(
        "names what it found and what should be there",
        arguments: [
            ("[1 2]", "found '2' where ',' or ']' should be"), ("{", "it ends where a key or '}' should be"),
            ("{\"a\":1,}", "found '}' where a key should be"), ("{\"a\"1}", "found '1' where ':' should be"),
            ("\u{1}", "found byte 0x01 where a value should be"), ("tru ", "found byte 0x20 where 'true' should be"),
            ("[-x]", "not a number of JSON: a digit must follow '-'"), ("1]", "found ']' after the document's end"),
        ]
    )
    func namesExpectation(document: String, reason: String) throws {
        let error = try #require(throws: JSONError.self) { try JSONValue(parsing: document) }
        #expect(error.message.hasSuffix(": " + reason), "\(error.message)")
    }

    @Test("holds each bound exactly")
    func holdsBounds() throws {
        func outcome(_ document: String, _ limits: JSONLimits) -> JSONError.Code? {
            do throws(JSONError) {
                _ = try JSONValue(parsing: document, limits: limits)
                return nil
            } catch {
                #expect(error.kind == .tooLarge)
                return error.code
            }
        }
        #expect(outcome("[1,2]", JSONLimits(bytes: 5)) == nil)
        #expect(outcome("[1,2]", JSONLimits(bytes: 4)) == .tooManyBytes)
        #expect(outcome("1", JSONLimits(depth: 0)) == nil)
        #expect(outcome("[]", JSONLimits(depth: 0)) == .tooDeep)
        #expect(outcome("[{\"a\":1}]", JSONLimits(depth: 2)) == nil)
        #expect(outcome("[{\"a\":[]}]", JSONLimits(depth: 2)) == .tooDeep)
        #expect(outcome("[1,{\"a\":2}]", JSONLimits(elements: 5)) == nil)
        #expect(outcome("[1,{\"a\":2}]", JSONLimits(elements: 4)) == .tooManyElements)
        #expect(outcome("\"abé\"", JSONLimits(stringBytes: 4)) == nil)
        #expect(outcome("\"abé\"", JSONLimits(stringBytes: 3)) == .stringTooLong)
        #expect(outcome("\"abc\\n\"", JSONLimits(stringBytes: 5)) == nil)
        #expect(outcome("\"abc\\n\"", JSONLimits(stringBytes: 4)) == .stringTooLong)
        #expect(outcome("{\"abc\":1}", JSONLimits(stringBytes: 2)) == .stringTooLong)
        #expect(outcome("-123", JSONLimits(numberBytes: 4)) == nil)
        #expect(outcome("-1234", JSONLimits(numberBytes: 4)) == .numberTooLong)
        #expect(outcome("[1.5e3]", JSONLimits(numberBytes: 4)) == .numberTooLong)
    }

    @Test("takes 64 levels and refuses 65 as the standard says")
    func standardDepth() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(try JSONValue(parsing: nested(64)).text == nested(64))
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: nested(65)) }
        #expect(error?.code == .tooDeep)
        #expect(error?.position?.offset == 64)
    }

    @Test("answers to hostile documents at once, without exhausting the stack", .timeLimit(.minutes(1)))
    func survivesHostility() {
        func code(_ document: String) -> JSONError.Code? {
            do throws(JSONError) {
                _ = try JSONValue(parsing: document)
                return nil
            } catch {
                return error.code
            }
        }
        #expect(code(String(repeating: "[", count: 1_000_000)) == .tooDeep)
        #expect(code(String(repeating: "{\"a\":", count: 200_000)) == .tooDeep)
        #expect(code("\"" + String(repeating: "\\\\", count: 500_000)) == .unexpectedEnd)
        #expect(code("1" + String(repeating: "0", count: 1_000_000)) == .numberTooLong)
        #expect(code("{" + (0..<40_000).map { "\"k\($0)\":0," }.joined() + "\"k7\":1}") == .duplicateKey)
        let prefix = String(repeating: "p", count: 20_000)
        #expect(code("{" + (0..<24).map { "\"\(prefix)\\u00\($0 + 20)\":0" }.joined(separator: ",") + "}") == nil)
    }
}
