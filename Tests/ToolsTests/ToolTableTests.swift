import Domain
import Foundation
import TestSupport
import Testing

@testable import Tools

@Suite("ToolTable")
struct ToolTableTests {
    /// `PYAIRTABLE_REWRITE=1 swift test --filter ToolTable` makes it anew.
    @Test("docs/tools.md has every tool as the registry has it")
    func page() async throws {
        try await withTools { world in
            let file = repositoryRoot.appendingPathComponent("docs/tools.md")
            let stored = try String(contentsOf: file, encoding: .utf8)
            let made = try #require(ToolTable.page(stored, of: world.tools.definitions))
            if ProcessInfo.processInfo.environment["PYAIRTABLE_REWRITE"] == "1" {
                try made.write(to: file, atomically: true, encoding: .utf8)
            } else {
                #expect(stored == made, "docs/tools.md is stale")
            }
            for tool in world.tools.definitions { #expect(made.contains("| `\(tool.name)` |")) }
            #expect(ToolTable.page("no marks", of: world.tools.definitions) == nil)
        }
    }

    @Test("an argument is told with its type, whether it is required, and what it is")
    func arguments() throws {
        let tool = ToolDefinition(
            name: "do_it",
            title: "Do it",
            description: "Does it.",
            inputSchema: .object(
                properties: [
                    "what": .string(description: "What to do."), "how": .string(enum: ["well", "badly"]),
                    "parts": .array(of: .object(properties: ["field": .string()])), "any": .any,
                ],
                required: ["what"]
            ),
            annotations: ToolAnnotations(
                readOnlyHint: false,
                destructiveHint: true,
                idempotentHint: true,
                openWorldHint: false
            ),
            permission: .recordsWrite
        )
        #expect(
            ToolTable.markdown(of: [tool]) == """
                ## records

                | tool | what it does | permission | hints |
                |---|---|---|---|
                | `do_it` | Do it | `records:write` | may overwrite or remove, twice is once |

                **`do_it`**: Does it.

                - `what` (string, required): What to do.
                - `how` (`well` `badly`)
                - `parts` (list of objects: `field`)
                - `any` (anything)

                """
        )
    }
}
