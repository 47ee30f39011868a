import Access
import Domain
import Testing

@testable import Tools

@Suite("Tools under audit")
struct AuditedToolsTests {
    @Test("AUD-01: every call is told, with its tool, agent and outcome, and without its arguments")
    func calls() async throws {
        try await withTools { fixture in
            let tools = AuditedTools(fixture.tools, audit: fixture.access.audit, agent: "chat")
            let context = fixture.context
            #expect(try await tools.tools(context: context) == fixture.tools.tools(context: context))
            let good = try await tools.call(ToolCall(name: "list_bases", arguments: [:]), context: context)
            #expect(!good.isError)
            let arguments: JSONObject = ["base": "zqsecretzq"]
            let bad = try await tools.call(ToolCall(name: "list_tables", arguments: arguments), context: context)
            #expect(bad.isError)
            let limited = fixture.context(with: [])
            _ = try await tools.call(ToolCall(name: "list_bases", arguments: [:]), context: limited)
            for name in ["no_such_tool", "zq secret zq\n"] {
                await #expect(throws: ToolProviderError.self) {
                    _ = try await tools.call(ToolCall(name: name, arguments: [:]), context: context)
                }
            }
            let page = try await fixture.access.audit.entries(AuditQuery(), context: context)
            let calls = page.entries.map(\.event).filter { $0.action == .toolCalled }.reversed()
            #expect(
                calls.map { "\($0.object?.id ?? "") \($0.result)" } == [
                    "list_bases done", "list_tables failed", "list_bases failed", "no_such_tool failed",
                    "unknown failed",
                ]
            )
            #expect(calls.allSatisfy { $0.agent == "chat" && $0.user == context.principal.user })
            #expect(!page.entries.contains { String(decoding: $0.body, as: UTF8.self).contains("zq") })
        }
    }
}
