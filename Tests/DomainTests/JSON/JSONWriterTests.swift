import Domain
import Testing

@Suite("Writing JSON")
struct JSONWriterTests {
    private func text(_ layout: JSONWriter.Layout = .compact, _ write: (inout JSONWriter) -> Void) throws -> String {
        var writer = JSONWriter(layout: layout)
        write(&writer)
        return String(decoding: try writer.finish(), as: UTF8.self)
    }

    @Test("puts commas and colons where they belong")
    func punctuation() throws {
        let text = try text { writer in
            writer.beginObject()
            writer.key("a")
            writer.beginArray()
            writer.int(1)
            writer.null()
            writer.bool(true)
            writer.beginObject()
            writer.endObject()
            writer.beginArray()
            writer.endArray()
            writer.endArray()
            writer.member("b", "x")
            writer.key("c")
            writer.raw(Array("[ 1.0 ]".utf8))
            writer.key("d")
            writer.double(2)
            writer.endObject()
        }
        #expect(text == #"{"a":[1,null,true,{},[]],"b":"x","c":[ 1.0 ],"d":2}"#)
    }

    @Test("escapes what must be escaped and nothing else")
    func escapes() throws {
        let controls = String(String.UnicodeScalarView((0..<0x20).compactMap { Unicode.Scalar($0) }))
        let text = try text { $0.string(controls + "\"\\/\u{7F}é\u{2028}\u{2029}😀") }
        let expected =
            #""\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\t\n\u000b\f\r\u000e\u000f\u0010\u0011\u0012"#
            + #"\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001a\u001b\u001c\u001d\u001e\u001f\"\\/"#
            + "\u{7F}é\u{2028}\u{2029}😀\""
        #expect(text == expected)
    }

    @Test("writes whole numbers of every width")
    func integers() throws {
        let text = try text { writer in
            writer.beginArray()
            writer.int(Int8.min)
            writer.int(UInt64.max)
            writer.int(Int64.min)
            writer.number(1.25)
            writer.endArray()
        }
        #expect(text == "[-128,18446744073709551615,-9223372036854775808,1.25]")
    }

    @Test("lays members and elements out on lines when asked")
    func indents() throws {
        let value: JSONValue = ["a": [1, [], [:], ["b": nil]], "c": "d"]
        let expected = """
            {
              "a": [
                1,
                [],
                {},
                {
                  "b": null
                }
              ],
              "c": "d"
            }
            """
        #expect(String(decoding: value.encoded(.indented), as: UTF8.self) == expected)
        #expect(try JSONValue(parsing: value.encoded(.indented)) == value)
    }

    @Test("fails at the end for a number that is not finite", arguments: [Double.nan, .infinity, -.infinity])
    func refusesInfinite(value: Double) {
        var writer = JSONWriter()
        writer.beginArray()
        writer.double(value)
        writer.endArray()
        #expect(writer.error?.code == .notRepresentable)
        let error = #expect(throws: JSONError.self) { try writer.finish() }
        #expect(error?.code == .notRepresentable)
    }

    @Test("stops at its bound and says so at the end")
    func bounds() throws {
        var exact = JSONWriter(byteLimit: 6)
        exact.string("abcd")
        #expect(try exact.finish().count == 6)
        var writer = JSONWriter(byteLimit: 1_000)
        writer.beginArray()
        for _ in 0..<10_000 { writer.string("0123456789") }
        writer.endArray()
        #expect(writer.bytes.count < 1_100)
        let error = #expect(throws: JSONError.self) { try writer.finish() }
        #expect(error?.code == .tooManyBytes)
        #expect(error?.kind == .tooLarge)
    }

    @Test("gives what is written so far, piece by piece, within the same bound")
    func drains() throws {
        var writer = JSONWriter(byteLimit: 100)
        var received: [UInt8] = []
        writer.beginArray()
        for number in 0..<10 {
            writer.int(number)
            received += writer.drain()
        }
        writer.endArray()
        received += try writer.finish()
        #expect(String(decoding: received, as: UTF8.self) == "[0,1,2,3,4,5,6,7,8,9]")

        var endless = JSONWriter(byteLimit: 100)
        endless.beginArray()
        for number in 0..<200 {
            endless.int(number)
            _ = endless.drain()
        }
        #expect(endless.error?.code == .tooManyBytes)
    }
}
