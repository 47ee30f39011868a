import Domain

/// Tools that change what is on show, so that whoever watches is told.
extension FixtureTools {
    static func triggers(on stage: FixtureStage) -> [FixtureTool] {
        [
            FixtureTool("test_trigger_tool_change", "Shows one tool more, or hides it again.", changes: true) { _, _ in
                stage.flipTool()
                return ToolResult(text: "The list of tools has changed")
            },
            FixtureTool("test_trigger_prompt_change", "Shows one prompt more, or hides it again.", changes: true) {
                _,
                _ in
                stage.flipPrompt()
                return ToolResult(text: "The list of prompts has changed")
            },
            FixtureTool("test_trigger_resource_change", "Changes the watched resource.", changes: true) { _, _ in
                stage.touchWatched()
                return ToolResult(text: "The watched resource has changed")
            },
            FixtureTool(
                "test_trigger_resource_list_change",
                "Shows one resource more, or hides it again.",
                changes: true
            ) { _, _ in
                stage.flipResource()
                return ToolResult(text: "The list of resources has changed")
            },
        ]
    }
}
