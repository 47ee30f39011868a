import Domain
import Foundation
import TestSupport
import Testing

/// What README tells somebody new to paste, pasted.
@Suite("A newcomer's path")
struct NewcomerTests {
    @Test("a tenant, an invite, a role with a hidden field and a scoped key, enforced as README says")
    func severalPeople() async throws {
        try await withTemporaryDirectory { directory in
            try await withServer(data: directory.path + "/data", adding: ["--embedder", "hash"]) { url, key, _ in
                let script = try Self.script(url: url, key: key)
                let pasted = try await Binary.run(
                    ["-u", "-c", script],
                    program: URL(fileURLWithPath: "/bin/bash"),
                    timeout: 60
                )
                #expect(pasted.status == 0 && pasted.errors.isEmpty, "\(pasted.errors)")
                let answers = try pasted.json()
                try #require(answers.count == 8, "\(pasted.output)")
                let (made, denied, read) = (answers[0], answers[1], answers[2])
                #expect(made["records"]?[0]?["fields"]?["Salary"] == 51_234)
                #expect(denied["effect"] == "deny")
                #expect(read["records"]?[0]?["fields"] == ["Name": "Bo"])
                #expect(answers[3]["error"]?["type"] == "INVALID_FILTER_BY_FORMULA")
                #expect(answers[4]["error"]?["type"] == "INVALID_PERMISSIONS")
                #expect(answers[5]["records"]?[0]?["fields"] == ["Name": "Cy"])
                #expect(answers[6]["bases"] == [])
                #expect(answers[7]["answer"]?["decision"] == "denied")
                #expect(answers[2...6].allSatisfy { !"\($0)".contains("51234") && !"\($0)".contains("51_234") })
            }
        }
    }

    /// The first shell block under the heading, for another server than the one of `make run`.
    private static func script(url: String, key: String) throws -> String {
        let readme = try String(contentsOf: repositoryRoot.appendingPathComponent("README.md"), encoding: .utf8)
        let section = try #require(readme.components(separatedBy: "## Several people\n").last)
        let block = try #require(section.components(separatedBy: "```sh\n").dropFirst().first)
        let text = try #require(block.components(separatedBy: "```").first)
        return text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            if line.hasPrefix("URL=") { return "URL=" + url }
            if line.hasPrefix("KEY=") { return "KEY=" + key }
            return String(line)
        }.joined(separator: "\n")
    }
}
