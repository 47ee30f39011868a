import Foundation
import TestSupport
import Testing

/// Every store is tested on both databases: each of its methods is at least named by a test here that
/// runs on both.
@Suite("Store coverage")
struct StoreCoverageTests {
    /// Named by no test, because another method that is does nothing but call it on the way.
    static let indirect: [String: String] = [
        "load": "SchemaCache, by every call",
        "version": "SchemaCache, by every call",
        "lock": "every write",
        "raiseVersion": "every change of the schema",
        "insert": "createBase, create, begin",
        "append": "createField; every entry of the log",
        "setOptions": "addChoices",
        "deleteField": "deleteTable",
        "discard": "abandon",
        "clear": "clearDeleted",
        "extent": "latestSequence",
    ]

    @Test("each public or package method of a store is called by a test")
    func everyMethodIsNamed() throws {
        let sources = repositoryRoot.appendingPathComponent("Sources/Airtable")
        let tests = repositoryRoot.appendingPathComponent("Tests/AirtableTests")
        let testText = try Self.swiftFiles(tests).filter { !$0.path.hasSuffix("StoreCoverageTests.swift") }
            .map { try Self.partsOnBothDatabases(String(contentsOf: $0, encoding: .utf8)) }.joined()
        var methods: Set<String> = []
        for file in try Self.swiftFiles(sources) where Self.isStore(file) {
            let text = try String(contentsOf: file, encoding: .utf8)
            for match in text.matches(of: /(?:public|package) (?:static )?func ([A-Za-z]+)/) {
                methods.insert(String(match.1))
            }
        }
        #expect(methods.count > 35, "\(methods.count)")
        for method in methods.sorted() where Self.indirect[method] == nil {
            #expect(
                testText.contains(".\(method)(") || testText.contains(".\(method) {"),
                "no test calls \(method); write one that runs on both databases"
            )
        }
        let unknown = Set(Self.indirect.keys).subtracting(methods)
        #expect(unknown.isEmpty, "no longer there: \(unknown)")
    }

    /// What is not a test (helpers), and those tests that run on each kind of database.
    private static func partsOnBothDatabases(_ text: String) throws -> String {
        let parts = text.components(separatedBy: "@Test(")
        return parts.prefix(1).joined() + parts.dropFirst().filter { $0.contains("DatabaseKind.allCases") }.joined()
    }

    private static func isStore(_ file: URL) -> Bool {
        let name = file.lastPathComponent
        return name.contains("Store") || name.hasPrefix("AirtableService") || name == "ChangeFeed.swift"
    }

    private static func swiftFiles(_ directory: URL) throws -> [URL] {
        let files = FileManager.default.enumerator(
            at: directory.resolvingSymlinksInPath(),
            includingPropertiesForKeys: nil
        )
        return try #require(files).compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
    }
}
