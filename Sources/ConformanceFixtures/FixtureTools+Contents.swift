import Domain

/// Tools that answer at once: one for each kind of content, and for failing.
extension FixtureTools {
    static let contents: [FixtureTool] = [
        FixtureTool("test_simple_text", "Answers with one text.") { _, _ in
            ToolResult(text: "This is a simple text response for testing.")
        },
        FixtureTool("test_image_content", "Answers with one picture.") { _, _ in
            ToolResult(text: "", content: [FixtureMedia.picture])
        },
        FixtureTool("test_audio_content", "Answers with one sound.") { _, _ in
            ToolResult(text: "", content: [FixtureMedia.sound])
        },
        FixtureTool("test_embedded_resource", "Answers with one resource, whole.") { _, _ in
            let resource = ResourceContents(
                uri: "test://embedded-resource",
                mediaType: "text/plain",
                .text("This is an embedded resource content.")
            )
            return ToolResult(text: "", content: [.resource(resource)])
        },
        FixtureTool("test_resource_link", "Answers with a link to a resource.") { _, _ in
            ToolResult(text: "Read this:", content: [.link(FixtureResources.staticText)])
        },
        FixtureTool("test_multiple_content_types", "Answers with a text, a picture and a resource.") { _, _ in
            let resource = ResourceContents(
                uri: "test://mixed-content-resource",
                mediaType: "application/json",
                .text(#"{"test":"data","value":123}"#)
            )
            return ToolResult(
                text: "Multiple content types test:",
                content: [FixtureMedia.picture, .resource(resource)]
            )
        },
        FixtureTool("test_error_handling", "Always fails.") { _, _ in
            ToolResult(text: "This tool intentionally returns an error for testing", isError: true)
        },
    ]
}
