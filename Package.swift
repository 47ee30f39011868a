// swift-tools-version: 6.2
import Foundation
import PackageDescription

// Debug builds run C kernels at -O0 unless this is set; SwiftPM then refuses the package as a
// dependency (unsafe flags), so it is a switch that our own Makefile sets, not the default.
let optimizesKernels = ProcessInfo.processInfo.environment["PYAIRTABLE_OPTIMIZE_KERNELS"] == "1"

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTesting = Target.Dependency.product(name: "HummingbirdTesting", package: "hummingbird")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let grdbSQLite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioHTTPTypesHTTP1 = Target.Dependency.product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioWebSocket = Target.Dependency.product(name: "NIOWebSocket", package: "swift-nio")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

func library(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource]? = nil) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

/// - Parameter exclude: data that tests read by path, such as snapshots.
func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

let package = Package(
    name: "pyairtable-ai",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "pyairtable-ai", targets: ["pyairtable-ai"]),
        .library(name: "VectorIndex", targets: ["VectorIndex"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", exact: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    ],
    targets: [
        // 0: C kernels and system libraries
        .target(
            name: "CKernels",
            cSettings: optimizesKernels ? [.unsafeFlags(["-O3"])] : []
        ),
        .systemLibrary(name: "CBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        // PostgreSQL's (Debian: libpq-dev), opened when it is first needed.
        .target(name: "CLibpq"),
        // RE2 (Debian: libre2-dev) in C. Not by pkg-config: its file asks for -pthread, which SwiftPM warns about.
        .target(name: "CRE2", linkerSettings: [.linkedLibrary("re2")]),
        .systemLibrary(name: "CArgon2", pkgConfig: "libargon2", providers: [.apt(["libargon2-dev"])]),
        .systemLibrary(name: "CCrypt", providers: [.apt(["libcrypt-dev"])]),
        // 1: values · HNSW
        library("Domain", [logging]),
        library("VectorIndex", ["CKernels", "CBLAS"]),
        // 2: Airtable's formula language
        library("Formula", ["Domain", "CRE2"]),
        // 2: SQL · protocol
        library("Database", ["Domain", "CLibpq", grdb, grdbSQLite]),
        library("MCP", ["Domain", logging]),
        library("ConformanceFixtures", ["Domain"]),
        // 2: every outgoing call
        library("Outbound", ["Domain", asyncHTTPClient, nioCore, nioHTTP1, nioPosix, nioSSL, logging]),
        // 3: who may · durable jobs
        library("Jobs", ["Domain", "Database", logging]),
        library(
            "Access",
            ["Domain", "Database", "CArgon2", "CCrypt", crypto, logging],
            resources: [.embedInCode("Passwords/common-passwords.txt")]
        ),
        // 4: one door to records
        library("Airtable", ["Domain", "Database", "Access", "Formula", "Outbound", "CKernels", crypto, logging]),
        // 4: wire formats of model providers, each once
        library("Gemini", ["Domain", "Outbound", logging]),
        library("OpenAIDialect", ["Domain", "Outbound", logging]),
        // 5: text -> vectors · model protocol, agent loop, budgets
        library(
            "Embeddings",
            ["Domain", "Database", "Jobs", "Outbound", "Gemini", "OpenAIDialect", "CKernels", "CBLAS", crypto, logging]
        ),
        library(
            "LLM",
            ["Domain", "Database", "Outbound", "Gemini", "OpenAIDialect", logging],
            resources: [.embedInCode("Prompts/grounded-v1.txt")]
        ),
        // 6: hybrid retrieval
        library("Search", ["Domain", "Database", "Jobs", "Access", "Airtable", "Embeddings", "VectorIndex", logging]),
        // 7: every tool · conversations
        library("Tools", ["Domain", "Jobs", "Access", "Airtable", "Search", logging]),
        library("Chat", ["Domain", "Database", "Access", "Airtable", "LLM", "Search", logging]),
        // 8: HTTP and WebSocket edge
        library(
            "Gateway",
            [
                "Domain", "Access", "Jobs", "Airtable", "Embeddings", "Search", "LLM", "Tools", "Chat", "MCP",
                "OpenAIDialect", crypto, hummingbird, hummingbirdCore, httpTypes, nioCore, nioHTTP1, nioHTTPTypes,
                nioHTTPTypesHTTP1, nioSSL, nioWebSocket, logging, metrics, lifecycle,
            ],
            resources: [
                "page.html", "page.css", "page.js", "api.js", "markup.js", "answer.js", "chat.js", "chat.css",
                "docs.html", "docs.css", "docs.js",
            ]
            .map {
                .embedInCode("Page/\($0)")
            }
        ),
        // 9: the composition root
        library(
            "App",
            [
                "Domain", "Database", "Outbound", "Access", "Jobs", "Airtable", "Gemini", "OpenAIDialect", "Embeddings",
                "LLM", "VectorIndex", "Search", "Tools", "Chat", "MCP", "ConformanceFixtures", "Gateway", logging,
                lifecycle, signals,
            ]
        ),
        // 10: the executable
        .executableTarget(
            name: "pyairtable-ai",
            dependencies: [
                "Domain", "Formula", "Database", "Outbound", "Access", "Jobs", "Airtable", "Embeddings", "LLM",
                "VectorIndex", "Search", "Tools", "Chat", "MCP", "Gateway", "App", arguments, logging, lifecycle,
            ],
            swiftSettings: strict
        ),

        // What several test targets need: temporary directories, both databases, sample data.
        .target(
            name: "TestSupport",
            dependencies: ["Access", "Domain", "Database"],
            path: "Tests/TestSupport",
            swiftSettings: strict
        ),
        tests("DomainTests", ["Domain", "TestSupport"]),
        tests("FormulaTests", ["Formula", "Domain", "TestSupport"], exclude: ["Cases"]),
        tests("VectorIndexTests", ["VectorIndex", "CKernels"]),
        tests("DatabaseTests", ["Database", "Domain", "TestSupport"]),
        tests("MCPTests", ["MCP", "Domain", logging], exclude: ["Transcripts"]),
        tests("ConformanceFixturesTests", ["ConformanceFixtures", "Domain", logging]),
        tests("OutboundTests", ["Outbound", "Domain", "TestSupport", nioCore, nioPosix, nioSSL, logging]),
        tests("JobsTests", ["Jobs", "Database", "Domain", "TestSupport", logging]),
        tests("GeminiTests", ["Gemini", "Outbound", "Domain", "TestSupport", logging]),
        tests("OpenAIDialectTests", ["OpenAIDialect", "Outbound", "Domain", "TestSupport", logging]),
        tests(
            "LLMTests",
            [
                "LLM", "Gemini", "OpenAIDialect", "Outbound", "Access", "Database", "Domain", "TestSupport", logging,
            ],
            exclude: ["Transcripts"]
        ),
        tests(
            "ChatTests",
            [
                "Chat", "LLM", "Tools", "Search", "Airtable", "Access", "Embeddings", "Database", "Domain",
                "TestSupport", "VectorIndex", logging,
            ]
        ),
        tests("AccessTests", ["Access", "Database", "Domain", "TestSupport", logging], exclude: ["Scenarios"]),
        tests(
            "AirtableTests",
            ["Airtable", "Access", "Database", "Domain", "Formula", "Outbound", "TestSupport", logging]
        ),
        tests(
            "EmbeddingsTests",
            [
                "Embeddings", "Gemini", "OpenAIDialect", "Outbound", "Jobs", "CKernels", "Database", "Domain",
                "TestSupport", logging,
            ],
            exclude: ["Fixtures"]
        ),
        tests(
            "SearchTests",
            [
                "Search", "Airtable", "Access", "Jobs", "Embeddings", "VectorIndex", "Database", "Domain",
                "TestSupport",
                logging,
            ]
        ),
        tests(
            "ToolsTests",
            [
                "Tools", "Search", "Airtable", "Access", "Jobs", "Embeddings", "Outbound", "Database", "Domain",
                "TestSupport", logging,
            ],
            exclude: ["Snapshots"]
        ),
        tests(
            "GatewayTests",
            [
                "Gateway", "Chat", "LLM", "Tools", "MCP", "Jobs", "Embeddings", "OpenAIDialect", "Search", "Airtable",
                "Access", "Database", "Domain", "Outbound", "TestSupport", "VectorIndex", hummingbird, hummingbirdCore,
                hummingbirdTesting, httpTypes, nioCore, nioHTTP1, nioPosix, nioSSL, nioWebSocket, logging, metrics,
                lifecycle,
            ],
            exclude: ["Errors", "Snapshots"]
        ),
        tests(
            "AppTests",
            [
                "Access", "Airtable", "App", "CBLAS", "Chat", "Database", "Domain", "Embeddings", "Gateway", "Jobs",
                "LLM",
                "Outbound", "Search", "TestSupport", "Tools", "VectorIndex", logging,
            ],
            exclude: ["Answers"]
        ),
        tests("TidyTests", []),
    ]
)
