import Foundation
import Testing

/// Reads the repository as a reviewer would. When a rule is wrong, mend the rule.
@Suite("Tidy")
struct TidyTests {
    @Test("the rules have something to read")
    func sourcesAreThere() throws {
        #expect(Repository.swiftSources.count > 50)
        #expect(try Repository.trackedPaths().contains("Package.swift"))
    }

    @Test("files hold one idea: at most 400 lines, or a header that says why not")
    func fileLength() {
        for file in Repository.swiftSources + Repository.swiftTests where file.lines.count > 400 {
            let header = file.lines.prefix(12).joined(separator: "\n")
            #expect(
                header.contains("// Long because"),
                "\(file) has \(file.lines.count) lines: find the second idea, or say `// Long because …` at its top"
            )
            #expect(file.lines.count <= 800, "\(file) has \(file.lines.count) lines")
        }
    }

    @Test("functions fit on a screen: at most 70 lines")
    func functionLength() {
        for file in Repository.swiftSources {
            for function in functions(in: file) where function.lineCount > 70 {
                Issue.record(
                    "\(file): \(function.name) has \(function.lineCount) lines; keep the branching, move the rest"
                )
            }
        }
    }

    @Test("banned calls stay out, each with its replacement")
    func bannedCalls() {
        let banned: [(pattern: String, instead: String, allowed: [String])] = [
            (#"(?:^|[^.\w])print\("#, "write to standard output or the logger", []),
            (#"\btry!"#, "handle the error", []),
            (#"Task\.detached"#, "structured concurrency, or a task with an owner", []),
            (#"fatalError\("(not|un|TODO)"#, "finish it", []),
            (#"catch\s*\{\s*\}"#, "say why losing the error is right", []),
            (#"[^.\w]RequestContext\("#, "ask Access for a context", ["Sources/Access/", "Sources/Domain/"]),
            (#"\bDate\(\)"#, "Domain's Instant from an InstantSource", []),
            (#"Bundle\.module"#, "resources embedded in code (the build path would be baked in)", []),
        ]
        for (pattern, instead, allowed) in banned {
            guard let regex = try? Regex(pattern) else {
                Issue.record("\(pattern) is not a regular expression")
                continue
            }
            for file in Repository.swiftSources where !allowed.contains(where: { file.path.hasPrefix($0) }) {
                for (number, line) in file.lines.enumerated() where !isComment(line) && line.contains(regex) {
                    Issue.record("\(file):\(number + 1): \(line.trimmingCharacters(in: .whitespaces)) (\(instead))")
                }
            }
        }
    }

    @Test("@unchecked Sendable and nonisolated(unsafe) come with a comment that proves them")
    func uncheckedIsProved() {
        for file in Repository.swiftSources {
            for (number, line) in file.lines.enumerated() where !isComment(line) {
                guard line.contains("@unchecked Sendable") || line.contains("nonisolated(unsafe)") else { continue }
                let before = file.lines[max(0, number - 8)..<number].reversed()
                let isProved = before.contains(where: isComment) || line.contains("//")
                #expect(isProved, "\(file):\(number + 1) says nothing about why it is safe")
            }
        }
    }

    @Test("no promise without an end: TODO and FIXME stay out")
    func noOrphanTodos() {
        let words = ["TO" + "DO", "FIX" + "ME", "XX" + "X:"]
        for file in Repository.swiftSources + Repository.files(below: "Sources", endings: ["c", "h"]) {
            for (number, line) in file.lines.enumerated() where words.contains(where: { line.contains($0) }) {
                Issue.record("\(file):\(number + 1): \(line)")
            }
        }
    }

    @Test("nothing tracked names this machine or a package registry")
    func noMachinePaths() throws {
        let banned = [
            "/wo" + "rk/main", "/wo" + "rk/shared", "/opt/" + "swift-packages", "pypi" + ".org", "deb.debian" + ".org",
        ]
        for path in try Repository.trackedPaths() {
            guard let data = FileManager.default.contents(atPath: Repository.root.appendingPathComponent(path).path)
            else {
                continue
            }
            let text = String(decoding: data, as: UTF8.self)
            for word in banned where text.contains(word) { Issue.record("\(path) holds \(word)") }
        }
    }

    @Test("only the agreed files stand at the top")
    func topLevel() throws {
        let agreed: Set<String> = [
            "Package.swift", "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "Makefile",
            ".ci", ".gitignore", ".swift-format", "Sources", "Tests", "Benchmarks", "Examples", "docs", "scripts",
        ]
        let top = Set(try Repository.trackedPaths().map { String($0.prefix { $0 != "/" }) })
        #expect(top.subtracting(agreed).isEmpty)
    }

    @Test("no placeholder is left behind")
    func noPlaceholders() throws {
        let left = try Repository.trackedPaths().filter { $0.hasSuffix("Placeholder.swift") }
        #expect(left.isEmpty)
    }

    private func isComment(_ line: Substring) -> Bool {
        line.drop { $0 == " " }.hasPrefix("//")
    }

    private struct Function {
        var name: String
        var lineCount: Int
    }

    /// Functions found by layout: swift-format puts the closing brace under the declaration's first letter.
    private func functions(in file: Repository.Source) -> [Function] {
        var found: [Function] = []
        let lines = file.lines
        for (number, line) in lines.enumerated() {
            let indentation = line.prefix { $0 == " " }
            let rest = line.dropFirst(indentation.count)
            let words = rest.split(separator: " ").prefix(6)
            guard words.contains("func") || rest.contains("init(") && !rest.contains(".init(") else { continue }
            guard !rest.hasPrefix("//"), !rest.contains("self.init("), !rest.hasSuffix("{}") else { continue }
            // A protocol's requirement has no body: the next line at this depth is another declaration.
            guard let body = lines[number...].prefix(12).first(where: { $0.hasSuffix("{") }), !body.isEmpty else {
                continue
            }
            let closing = indentation + "}"
            guard let end = lines[(number + 1)...].firstIndex(where: { $0 == closing }) else { continue }
            found.append(Function(name: String(rest.prefix(60)), lineCount: end - number + 1))
        }
        return found
    }
}
