import Foundation
import Testing

/// Arrows only point down, and third-party imports stay at the rim (ARCHITECTURE.md, "Targets").
@Suite("Arrows")
struct ArrowTests {
    /// What each target may import of ours.
    private static let arrows: [String: Set<String>] = [
        "Domain": [],
        "VectorIndex": ["CKernels", "CBLAS"],
        "Formula": ["Domain", "CRE2"],
        "Database": ["Domain", "CLibpq"],
        "MCP": ["Domain"],
        "ConformanceFixtures": ["Domain"],
        "Access": ["Domain", "Database", "CArgon2", "CCrypt"],
        "Airtable": ["Domain", "Database", "Access", "Formula", "Outbound", "CKernels"],
        "Outbound": ["Domain"],
        "Jobs": ["Domain", "Database"],
        "Gemini": ["Domain", "Outbound"],
        "OpenAIDialect": ["Domain", "Outbound"],
        "Embeddings": [
            "Domain", "Database", "Jobs", "Outbound", "Gemini", "OpenAIDialect", "CKernels", "CBLAS",
        ],
        "LLM": ["Domain", "Database", "Outbound", "Gemini", "OpenAIDialect"],
        "Search": ["Domain", "Database", "Jobs", "Access", "Airtable", "Embeddings", "VectorIndex"],
        "Tools": ["Domain", "Jobs", "Access", "Airtable", "Search"],
        "Chat": ["Domain", "Database", "Access", "Airtable", "LLM", "Search"],
        "Gateway": [
            "Domain", "Access", "Jobs", "Airtable", "Embeddings", "Search", "LLM", "Tools", "Chat", "MCP",
            "OpenAIDialect",
        ],
    ]

    /// Which targets may import a library that is not ours.
    private static let rims: [String: Set<String>] = [
        "Hummingbird": ["Gateway"], "HummingbirdCore": ["Gateway"], "HTTPTypes": ["Gateway"],
        "NIOCore": ["Gateway", "Outbound"],
        "NIOHTTP1": ["Gateway", "Outbound"], "NIOPosix": ["Gateway", "Outbound"], "NIOSSL": ["Gateway", "Outbound"],
        "NIOWebSocket": ["Gateway"],
        "NIOHTTPTypes": ["Gateway"], "NIOHTTPTypesHTTP1": ["Gateway"],
        "AsyncHTTPClient": ["Outbound"],
        "GRDB": ["Database"], "GRDBSQLite": ["Database"], "CLibpq": ["Database"],
        "ArgumentParser": ["pyairtable-ai"],
        "Crypto": ["Access", "Airtable", "Embeddings", "Gateway"],
    ]

    private static let anywhere: Set<String> = [
        "Foundation", "FoundationEssentials", "Dispatch", "Glibc", "Synchronization", "Logging", "CoreMetrics",
        "Metrics",
        "ServiceLifecycle", "UnixSignals", "Collections", "DequeModule", "Builtin", "Darwin",
    ]

    @Test("no target imports what stands above or beside it, and libraries stay at the rim")
    func imports() {
        let ours = Set(Self.arrows.keys).union(["CKernels", "CBLAS", "CLibpq", "CRE2", "CArgon2", "CCrypt", "App"])
        for file in Repository.swiftSources {
            guard let target = file.target else { continue }
            for module in imports(of: file) where !Self.anywhere.contains(module) {
                if let rim = Self.rims[module] {
                    #expect(rim.contains(target), "\(file) imports \(module), which belongs in \(rim.sorted())")
                } else if ours.contains(module) {
                    guard let allowed = Self.arrows[target] else { continue }  // App and the executable see all
                    #expect(allowed.contains(module), "\(file) imports \(module): an arrow that points up or across")
                } else {
                    Issue.record("\(file) imports \(module), of which the rules know nothing")
                }
            }
        }
    }

    private func imports(of file: Repository.Source) -> [String] {
        file.lines.compactMap { line in
            let words = line.split(separator: " ")
            guard let keyword = words.firstIndex(of: "import"), keyword <= 2, !line.hasPrefix("//"),
                !line.hasPrefix(" ")
            else { return nil }
            return words.dropFirst(keyword + 1).last.map { String($0.prefix { $0 != "." }) }
        }
    }
}
