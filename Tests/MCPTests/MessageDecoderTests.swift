import Domain
import MCP
import Testing

@Suite("Message decoder")
struct MessageDecoderTests {
    private func decode(_ line: String) -> Inbound? { MessageDecoder.decode(Array(line.utf8)) }

    private func refusal(_ line: String) -> (code: ProtocolError.Code, id: JSONValue?)? {
        guard case .single(.malformed(let error, let id)) = decode(line) else { return nil }
        return (error.code, id?.json)
    }

    @Test("reads requests, notifications and responses")
    func kinds() throws {
        let id = try #require(MessageID("a"))
        #expect(
            decode(#"{"jsonrpc":"2.0","id":"a","method":"m","params":{"x":[1]}}"#)
                == .single(.request(Request(id: id, method: "m", params: ["x": [1]])))
        )
        #expect(
            decode(#" {"method":"m","jsonrpc":"2.0","id":"a","extra":0} "#)
                == .single(.request(Request(id: id, method: "m", params: [:])))
        )
        #expect(
            decode(#"{"jsonrpc":"2.0","method":"m","params":{"x":1}}"#)
                == .single(.notification(Notification(method: "m", params: ["x": 1])))
        )
        #expect(
            decode(#"{"jsonrpc":"2.0","id":"a","result":{}}"#)
                == .single(.response(Response(id: id, outcome: .result([:]))))
        )
        #expect(
            decode(#"{"jsonrpc":"2.0","id":null,"error":{}}"#)
                == .single(.response(Response(id: nil, outcome: .error([:]))))
        )
    }

    @Test("reads arrays element by element")
    func batches() {
        guard case .batch(let messages) = decode(#"[{"jsonrpc":"2.0","method":"m"},7,[]]"#) else {
            return #expect(Bool(false))
        }
        #expect(messages.count == 3)
        #expect(messages[0] == .notification(Notification(method: "m", params: [:])))
        guard case .malformed(let error, nil) = messages[2] else { return #expect(Bool(false)) }
        #expect(error.code == .invalidRequest)
        #expect(decode("[]") == .batch([]))
    }

    @Test("skips lines of white space", arguments: ["", " ", "\r", "\t \r"])
    func blank(line: String) { #expect(decode(line) == nil) }

    @Test(
        "keeps ids to the byte",
        arguments: [
            "0", "-1", "9007199254740991", "9007199254740993", "18446744073709551616", "-0",
            #""""#, #""0""#, #""é""#, #""e\u0301""#, #""\ud83e\uddea""#,
        ]
    )
    func ids(literal: String) throws {
        guard case .single(.request(let request)) = decode(#"{"jsonrpc":"2.0","id":\#(literal),"method":"ping"}"#)
        else {
            return #expect(Bool(false), "\(literal)")
        }
        let text = OutboundMessage.result(id: request.id, [:]).json.text
        #expect(text.utf8.elementsEqual(#"{"jsonrpc":"2.0","id":\#(unescaped(literal)),"result":{}}"#.utf8))
    }

    private func unescaped(_ literal: String) -> String {
        literal.replacing(#"\u0301"#, with: "\u{301}").replacing(#"\ud83e\uddea"#, with: "\u{1F9EA}")
    }

    @Test("ids that look alike are not the same")
    func distinctIDs() throws {
        let ids = [JSONValue.number(7), "7", "é", "e\u{301}", "", 0].compactMap(MessageID.init)
        #expect(Set(ids).count == 6)
        #expect(MessageID(.number(7)) == MessageID(.number(7)))
    }

    @Test("what is not JSON is a parse error, what is too much of it an invalid request")
    func unreadable() {
        #expect(refusal("{")?.code == .parseError)
        #expect(refusal("nul")?.code == .parseError)
        #expect(refusal("{} {}")?.code == .parseError)
        #expect(refusal("\u{FEFF}{}")?.code == .parseError)
        #expect(refusal(String(repeating: "[", count: 10_000))?.code == .invalidRequest)
        guard case .single(.malformed(let error, nil)) = MessageDecoder.decode([0x22, 0xFF, 0x22]) else {
            return #expect(Bool(false))
        }
        #expect(error.code == .parseError)
    }

    @Test("a message that is none is refused under its id, when that can be read")
    func malformed() {
        for (line, code, id) in [
            (#"{"jsonrpc":"2.0","id":5}"#, ProtocolError.Code.invalidRequest, JSONValue.number(5)),
            (#"{"jsonrpc":"3.0","id":5,"method":"ping"}"#, .invalidRequest, 5),
            (#"{"id":"x","method":"ping"}"#, .invalidRequest, "x"),
            (#"{"jsonrpc":"2.0","id":5,"method":[]}"#, .invalidRequest, 5),
            (#"{"jsonrpc":"2.0","id":5,"method":"ping","params":[1]}"#, .invalidParams, 5),
        ] {
            #expect(refusal(line)?.code == code, "\(line)")
            #expect(refusal(line)?.id == id, "\(line)")
        }
        for line in [
            "1", "true", #""x""#, "null", "{}", #"{"jsonrpc":"2.0"}"#,
            #"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, #"{"jsonrpc":"2.0","id":1.0,"method":"ping"}"#,
            #"{"jsonrpc":"2.0","id":[1],"method":"ping"}"#, #"{"jsonrpc":"2.0","id":false,"method":"ping"}"#,
        ] {
            #expect(refusal(line)?.code == .invalidRequest, "\(line)")
            #expect(refusal(line)?.id == nil, "\(line)")
        }
    }

    @Test("errors are safe to show: they repeat nothing of the message")
    func quiet() {
        for line in [#"{"jsonrpc":"2.0","id":1,"method":"hunter2","params":"hunter2"}"#, "hunter2", #"{"a":hunter2}"#] {
            guard case .single(.malformed(let error, _)) = decode(line) else { return #expect(Bool(false)) }
            #expect(!error.message.contains("hunter2"))
        }
    }
}
