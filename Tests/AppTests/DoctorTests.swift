import Airtable
import App
import Domain
import Embeddings
import Foundation
import Logging
import Search
import TestSupport
import Testing

@Suite("Doctor")
struct DoctorTests {
    private static let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    /// A data directory with one base of three records, indexed without a model.
    private static func withIndex(_ body: (AppConfiguration, String) async throws -> Void) async throws {
        try await withTemporaryDirectory { directory in
            let flags: [Setting: String] = [.data: directory.path, .embedder: "hash", .threads: "1"]
            let configuration = try AppConfiguration.load(flags: flags, environment: [:])
            let services = try await Services.open(configuration, logger: logger)
            let context = try await services.ownerContext(.commandLine, timeout: .seconds(60))
            let made = try await services.airtable.createBase(
                name: "Metals",
                tables: [TableDraft(name: "Things", fields: [FieldDraft(name: "Name", type: .singleLineText)])],
                context: context
            )
            _ = try await services.airtable.create(
                ["iron", "tin", "lead"].map { RecordDraft(fields: ["Name": .string($0)]) },
                in: made.tables[0].id,
                context: context
            )
            let search = try await services.openSearch()
            try await search.indexer.indexAll()
            search.pool.close()
            await services.close()
            try await body(configuration, "base \"Metals\" (\(made.base.id))")
        }
    }

    private static func index(_ configuration: AppConfiguration, verifies: Bool) async -> [Doctor.Finding] {
        await Doctor.examine(configuration, verifies: verifies, logger: logger).filter { $0.name == "index" }
    }

    /// The one file of an index that holds its vectors.
    private static func files(_ configuration: AppConfiguration, _ prefix: String) throws -> [URL] {
        let root = URL(fileURLWithPath: configuration.dataDirectory + "/index")
        let all = try #require(FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil))
        return all.compactMap { $0 as? URL }.filter { $0.lastPathComponent.hasPrefix(prefix) }
    }

    @Test("says which indexes there are, and when verifying what each holds")
    func sound() async throws {
        try await Self.withIndex { configuration, place in
            let short = await Self.index(configuration, verifies: false)
            #expect(short.map(\.verdict) == [.ok, .ok])
            #expect(short[1].message.wholeMatch(of: /base "Metals" \(app\w{14}\): [1-9]\d* bytes/) != nil)
            let long = await Self.index(configuration, verifies: true)
            #expect(long.map(\.verdict) == [.ok, .ok], "\(long)")
            #expect(long[1].message.hasPrefix("\(place): 3 vectors, "))
            #expect(long[1].message.contains(/bytes, generation \d+$/), "\(long[1].message)")
        }
    }

    @Test("finds a damaged index, which a look at its size does not")
    func damaged() async throws {
        try await Self.withIndex { configuration, place in
            for file in try Self.files(configuration, "CURRENT") {
                try Data("vector-index 1\ngeneration 1\ncrc32c 0\n".utf8).write(to: file)
            }
            #expect(await Self.index(configuration, verifies: false).last?.verdict == .ok)
            let finding = try #require(await Self.index(configuration, verifies: true).last)
            #expect(finding.verdict == .failure && finding.message.hasPrefix(place), "\(finding)")
            #expect(finding.hint == "run index --rebuild")
        }
    }

    @Test("finds lost vectors without reading everything: what is left of search is words only")
    func lost() async throws {
        try await Self.withIndex { configuration, _ in
            try FileManager.default.removeItem(atPath: configuration.dataDirectory + "/index")
            let finding = try #require(await Self.index(configuration, verifies: false).first)
            #expect(finding.verdict == .failure && finding.message.contains("0 of 3 vectors"), "\(finding)")
            #expect(finding.hint?.contains("run index") == true)
        }
    }

    @Test("warns of the index of a base that is no more")
    func leftOver() async throws {
        try await Self.withIndex { configuration, _ in
            let file = try #require(try Self.files(configuration, "CURRENT").first)
            let base = file.deletingLastPathComponent().deletingLastPathComponent()
            let stranger = base.deletingLastPathComponent().appendingPathComponent(BaseID.random().description)
            try FileManager.default.copyItem(at: base, to: stranger)
            for verifies in [false, true] {
                let findings = await Self.index(configuration, verifies: verifies)
                #expect(findings.count == 3)
                let warning = try #require(findings.first { $0.verdict == .warning })
                #expect(warning.message.hasPrefix("base \(stranger.lastPathComponent), which is no more"))
            }
        }
    }

    @Test("reads the whole model only when verifying, and names what is wrong with it")
    func model() async throws {
        try await withTemporaryDirectory { directory in
            let model = directory.appendingPathComponent("model").path
            let flags: [Setting: String] = [.data: directory.path + "/data", .modelDirectory: model]
            let configuration = try AppConfiguration.load(flags: flags, environment: [:])
            let findings = await Doctor.examine(configuration, verifies: true, logger: Self.logger)
            let found = findings.filter { $0.name == "model" }
            #expect(!found.isEmpty && found.allSatisfy { $0.verdict == .failure })
            // Records are looked at all the same.
            #expect(findings.contains { $0.name == "records" && $0.verdict == .ok })
        }
    }
}
