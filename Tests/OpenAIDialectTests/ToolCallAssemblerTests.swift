import Domain
import Testing

@testable import OpenAIDialect

@Suite("Tool calls of a stream")
struct ToolCallAssemblerTests {
    private func calls(_ fragments: [JSONValue]) -> [OpenAIToolCall] {
        var assembler = ToolCallAssembler()
        for fragment in fragments { assembler.take(fragment) }
        return assembler.calls
    }

    private func fragment(
        _ index: Int? = nil,
        id: String? = nil,
        _ name: String? = nil,
        _ arguments: JSONValue? = nil
    ) -> JSONValue {
        var function = JSONObject()
        function["name"] = name.map { .string($0) }
        function["arguments"] = arguments
        var members: JSONObject = ["function": .object(function)]
        members["index"] = index.map { .number(JSONNumber($0)) }
        members["id"] = id.map { .string($0) }
        return .object(members)
    }

    private func more(_ index: Int?, _ arguments: JSONValue) -> JSONValue { fragment(index, nil, arguments) }

    private func call(_ id: String, _ name: String, _ arguments: String) -> OpenAIToolCall {
        OpenAIToolCall(id: id, name: name, arguments: arguments)
    }

    @Test("fragments of one index are one call, interleaved with another's")
    func byIndex() {
        let fragments = [
            fragment(0, id: "a", "one", ""), fragment(1, id: "b", "two", "{\"y\""), more(0, "{\"x\":"),
            more(1, ":2}"), more(0, "1}"),
        ]
        #expect(calls(fragments) == [call("a", "one", "{\"x\":1}"), call("b", "two", "{\"y\":2}")])
    }

    @Test("id and name that come with every fragment are not repeated")
    func repeated() {
        let fragments = [
            fragment(0, id: "a", "f", "{\"x\":"), fragment(0, id: "a", "f", "1"), fragment(0, id: "a", "f", "}"),
        ]
        #expect(calls(fragments) == [call("a", "f", "{\"x\":1}")])
    }

    @Test("whole calls that all claim index 0 are as many calls")
    func allZero() {
        let different = [fragment(0, id: "a", "f", "{\"x\":1}"), fragment(0, id: "b", "f", "{\"x\":2}")]
        #expect(calls(different) == [call("a", "f", "{\"x\":1}"), call("b", "f", "{\"x\":2}")])
        let without = [fragment(0, "f", "{\"x\":1}"), fragment(0, "f", "{\"x\":2}")]
        #expect(calls(without) == [call("", "f", "{\"x\":1}"), call("", "f", "{\"x\":2}")])
    }

    @Test("calls without an index follow one another")
    func withoutIndex() {
        let fragments = [
            fragment(nil, id: "a", "f", "{\"x\":"), more(nil, "1}"), fragment(nil, id: "b", "g", "{}"),
        ]
        #expect(calls(fragments) == [call("a", "f", "{\"x\":1}"), call("b", "g", "{}")])
    }

    @Test("arguments that are an object are taken as its text")
    func objects() { #expect(calls([fragment(0, id: "a", "f", ["x": 1])]) == [call("a", "f", "{\"x\":1}")]) }

    @Test("a call without arguments, and broken ones, are kept as they are")
    func broken() {
        #expect(calls([fragment(0, id: "a", "f")]) == [call("a", "f", "")])
        #expect(calls([fragment(0, id: "a", "f", "{\"x\": tru")]) == [call("a", "f", "{\"x\": tru")])
        #expect(calls([nil, [], "x"]).isEmpty)
    }
}
