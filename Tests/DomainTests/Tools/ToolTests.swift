import Domain
import Testing

@Suite("Tool values")
struct ToolTests {
    @Test("a failure becomes a result that a model can read")
    func failures() {
        let result = ToolResult(failure: ToolProviderError.unknownTool("serch"))
        #expect(result.isError)
        #expect(result.structured == nil)
        #expect(result.text == "there is no tool named 'serch'\nlist the tools that are offered")
    }

    @Test("an unknown tool is not found")
    func unknownTool() {
        let error = ToolProviderError.unknownTool("x")
        #expect(error.code == .unknownTool)
        #expect(error.kind == .notFound)
        #expect(error == .unknownTool("y"))
    }

    @Test("reading tools are annotated as safe")
    func annotations() {
        #expect(ToolAnnotations.readOnly.readOnlyHint)
        #expect(!ToolAnnotations.readOnly.destructiveHint)
        #expect(!ToolAnnotations.readOnly.openWorldHint)
    }
}
