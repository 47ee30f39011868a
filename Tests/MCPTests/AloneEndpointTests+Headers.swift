import Domain
import MCP
import Testing

/// What a request of 2026-07-28 repeats in its headers.
extension AloneEndpointTests {
    @Test("headers must repeat the body")
    func headers() async {
        let read = ["uri": JSONValue.string("fake://a")] as JSONObject
        let requests = [
            request("tools/list") { $0.methods = [] }, request("tools/list") { $0.methods = ["prompts/list"] },
            request("tools/list") { $0.methods = ["TOOLS/LIST"] },
            request("tools/call", call("text")) { $0.names = [] },
            request("tools/call", call("text")) { $0.names = ["add"] },
            request("resources/read", read) { $0.names = ["fake://b"] },
            request("tools/call", call("text")) { $0.names = ["=?base64?dGV4dA?="] },
            request("tools/call", call("text")) { $0.names = ["=?base64?dGV!?="] },
            request("tools/call", call("text")) { $0.names = ["=?base64?dGV4dB==?="] },
        ]
        for request in requests {
            let reply = await client.send(request)
            #expect(reply.status == 400)
            #expect(reply.code == -32020)
            #expect(reply.json?["id"] == 1)
        }
        #expect(
            await client.send(request("tools/call", call("text")) { $0.names = ["=?base64?dGV4dA==?="] }).status == 200
        )
        #expect(await client.send(request("tools/list") { $0.methods = ["tools/list", "tools/list"] }).status == 400)
    }

    @Test("a header that comes twice is a mismatch, even with itself")
    func repeatedHeaders() async {
        let version = "2026-07-28"
        for sent in [
            request("tools/call", call("text")) { $0.protocolVersions = [version, version] },
            request("tools/call", call("text")) { $0.methods = ["tools/call", "tools/call"] },
            request("tools/call", call("text")) { $0.names = ["text", "text"] },
        ] {
            let reply = await client.send(sent)
            #expect(reply.status == 400)
            #expect(reply.code == -32020)
            #expect(reply.json?["id"] == 1)
        }
    }

    @Test("a notification may do without what its headers would repeat, but they must not say something else")
    func notifications() async {
        let plain = #"{"jsonrpc":"2.0","method":"notifications/x"}"#
        let named = #"""
            {"jsonrpc":"2.0","method":"notifications/x","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"1999-01-01"}}}
            """#
        let cases: [(body: String, methods: [String], code: Int?)] = [
            (plain, [], nil), (plain, ["notifications/x"], nil), (plain, ["notifications/y"], -32020),
            (named, [], -32020),
        ]
        for (body, methods, code) in cases {
            var headers = EndpointRequest.Headers()
            headers.protocolVersions = ["2026-07-28"]
            headers.methods = methods
            let reply = await client.send(EndpointRequest(.post(body: Array(body.utf8)), headers))
            #expect(reply.status == (code == nil ? 202 : 400))
            #expect(reply.code == code)
        }
    }

    @Test("arguments that a tool's schema names are repeated in headers of their own")
    func paramHeaders() async {
        let arguments: JSONObject = ["base": "Büro", "count": 42, "deep": ["flag": true]]
        func send(_ params: [String: [String]], _ arguments: JSONObject) async -> Int? {
            await client.send(request("tools/call", call("routed", arguments)) { $0.params = params }).code
        }
        let good = ["airtable-base": ["=?base64?QsO8cm8=?="], "count": ["42.0"], "flag": ["true"]]
        #expect(await send(good, arguments) == nil)
        for (name, value) in [("airtable-base", "Buro"), ("count", "41"), ("flag", "1"), ("flag", "TRUE")] {
            #expect(await send(good.merging([name: [value]]) { $1 }, arguments) == -32020)
            #expect(await send(good.filter { $0.key != name }, arguments) == -32020)
        }
        #expect(await send(good, [:]) == -32020, "nothing to repeat")
        for text in ["0x2A", "+42", "042", "42 "] { #expect(await send(["count": [text]], ["count": 42]) == -32020) }
        let long = JSONValue.number(JSONNumber(9_007_199_254_740_992))
        #expect(await send(["count": ["9007199254740993"]], ["count": long]) == -32020, "the same only as doubles")
        #expect(await send(["count": ["4.2e1"]], ["count": 42]) == nil)
        #expect(await send([:], ["base": .null]) == nil)
        // No header can hold a list: its tool refuses it, if it is asked without.
        #expect(await send([:], ["base": ["b"]]) != -32020)
        #expect(await send(["airtable-base": ["b"]], ["base": ["b"]]) == -32020)
        // Without both markers the value is what it says.
        for literal in ["=?base64?QQ==", "QQ==?=", "=?Base64?QQ==?="] {
            #expect(await send(["airtable-base": [literal]], ["base": .string(literal)]) == nil)
        }
    }

    @Test("a tool that the request leaves out is unknown, whatever headers its schema would want")
    func leftOut() async {
        let sent = request("tools/call", call("routed", ["base": "b"]))
        #expect(await client.send(sent).code == -32020)
        guard case .post(let body) = sent.method else { return }
        let narrowed = EndpointRequest(.post(body: body), sent.headers, selection: ToolSelection(names: ["text"]))
        #expect(await client.send(narrowed).code == -32602)
    }
}
