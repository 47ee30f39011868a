import Domain
import Foundation
import TestSupport

/// Real English texts to embed, a line each and no two the same: vectors of noise say little about an index.
enum RealTexts {
    /// Sentences of the demo base's prose and of this repository's own documentation, in a fixed order.
    static func sentences() throws -> [String] {
        var texts: [String] = []
        for folder in ["Examples/periodic-table", "Sources", "Tests", "docs"] {
            for file in try files(in: folder) {
                let text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
                texts += prose(of: text, isCode: file.pathExtension == "swift").flatMap(sentences(of:))
            }
        }
        return distinct(texts)
    }

    /// `name: summary` of each package of the large demo; `make check-slow` puts them there.
    static func packages() throws -> [String] {
        let path = ProcessInfo.processInfo.environment["PYAIRTABLE_TEST_PACKAGES"]
        guard let path, let data = FileManager.default.contents(atPath: repositoryRoot.path + "/" + path) else {
            throw TestSupportError("no package texts; run this by: make check-slow")
        }
        return distinct(
            try data.split(separator: UInt8(ascii: "\n")).compactMap { line in
                let package = try JSONValue(parsing: Array(line))
                guard let name = package["Name"]?.stringValue else { return nil }
                return package["Summary"]?.stringValue.map { "\(name): \($0)" }
            }
        )
    }

    private static func distinct(_ texts: [String]) -> [String] {
        var seen: Set<String> = []
        return texts.filter { seen.insert($0).inserted }
    }

    private static func files(in folder: String) throws -> [URL] {
        let root = repositoryRoot.appendingPathComponent(folder)
        return try FileManager.default.subpathsOfDirectory(atPath: root.path).sorted()
            .filter { $0.hasSuffix(".csv") || $0.hasSuffix(".swift") || $0.hasSuffix(".md") }
            .map { root.appendingPathComponent($0) }
    }

    /// Of code, the comments and the names of tests.
    private static func prose(of text: String, isCode: Bool) -> [String] {
        guard isCode else { return [text] }
        return text.split(separator: "\n").compactMap { line in
            let line = line.trimmingCharacters(in: .whitespaces)
            if line.hasPrefix("//") { return String(line.drop { $0 == "/" }) }
            guard line.hasPrefix("@Test(\"") else { return nil }
            return String(line.dropFirst(7).prefix { $0 != "\"" })
        }
    }

    private static func sentences(of text: String) -> [String] {
        text.split { $0.isNewline || ".;\",|".contains($0) }
            .map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { $0.split(separator: " ").count >= 4 }
    }
}
