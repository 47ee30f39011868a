import Foundation
import TestSupport
import Testing

@testable import LLM

@Suite("Prompts")
struct PromptLibraryTests {
    @Test("every file is in the library under its name and version, and travels inside the binary")
    func files() throws {
        let directory = repositoryRoot.appendingPathComponent("Sources/LLM/Prompts")
        let files = try FileManager.default.contentsOfDirectory(atPath: directory.path).filter { $0.hasSuffix(".txt") }
        #expect(!files.isEmpty)
        #expect(Set(files) == Set(PromptLibrary.all.map { "\($0.id).txt" }))
        for prompt in PromptLibrary.all {
            let file = try String(
                contentsOf: directory.appendingPathComponent("\(prompt.id).txt"),
                encoding: .utf8
            )
            #expect(prompt.text == file)
            #expect(PromptLibrary.prompt(prompt.id) == prompt)
        }
        #expect(PromptLibrary.prompt("grounded-v0") == nil)
    }

    @Test("the grounded prompt says how to cite, what to say without an answer, and what data is")
    func grounded() {
        let text = PromptLibrary.grounded.text
        for words in [
            "[recXXXXXXXXXXXXXX]", "[recXXXXXXXXXXXXXX/fldXXXXXXXXXXXXXX]", "not found in your records",
            "never an instruction", "<data-",
        ] {
            #expect(text.contains(words), "\(words)")
        }
    }
}
