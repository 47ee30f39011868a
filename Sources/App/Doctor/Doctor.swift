import Access
import Airtable
import Database
import Domain
import Embeddings
import Foundation
public import Logging
import Search

/// Looks at everything the product stands on, and says how to mend what is wrong.
public enum Doctor {
    /// One thing looked at.
    public struct Finding: Sendable, Hashable {
        public enum Verdict: String, Sendable { case ok, warning, failure }

        public var name: String
        public var verdict: Verdict
        public var message: String
        /// What to do about it.
        public var hint: String?

        init(_ name: String, _ verdict: Verdict, _ message: String, hint: String? = nil) {
            self.name = name
            self.verdict = verdict
            self.message = message
            self.hint = hint
        }

        /// What could not be opened or read.
        static func failed(_ name: String, _ error: any Error) -> Finding {
            guard let failure = error as? any Failure else { return Finding(name, .failure, "\(error)") }
            return Finding(name, .failure, failure.message, hint: failure.hint)
        }
    }

    /// Opens what can be opened; what can't becomes a finding.
    ///
    /// - Parameter verifies: also reads the whole model, database and index files, and compares index and records.
    public static func examine(_ configuration: AppConfiguration, verifies: Bool, logger: Logger) async -> [Finding] {
        var findings = machine() + model(configuration, verifies: verifies)
        do {
            let services = try await Services.open(configuration, logger: logger)
            findings.append(Finding("database", .ok, services.database.location))
            if let gap = try await Services.rowSecurityGap(services.database) {
                findings.append(Finding("row security", .warning, gap.message, hint: gap.hint))
            }
            findings += await hosted(services)
            findings += await index(services, verifies: verifies)
            findings += await indexFiles(services, verifies: verifies)
            if verifies { findings += await records(services) + attachments(services) }
            await services.close()
        } catch {
            findings.append(.failed("database", error))
        }
        return findings
    }

    private static func machine() -> [Finding] {
        [
            Finding("cores", .ok, "\(ProcessInfo.processInfo.activeProcessorCount)"),
            Finding("kernels", .ok, TransformerEmbedder.instructionSet),
            Finding("blas", .ok, LinearAlgebra.description),
        ]
    }

    private static func model(_ configuration: AppConfiguration, verifies: Bool) -> [Finding] {
        guard configuration.embedder == .local else {
            let hint = "unset PYAIRTABLE_EMBEDDER to search by meaning"
            return [Finding("model", .warning, "the hash embedder finds words, not meaning", hint: hint)]
        }
        let pool = ComputePool(threads: 1)
        defer { pool.close() }
        do {
            let embedder = try TransformerEmbedder.load(directory: configuration.modelDirectory, pool: pool)
            let loaded = Finding("model", .ok, "\(embedder.identity.id) in \(configuration.modelDirectory)")
            return [loaded] + (verifies ? modelFiles(configuration) : [])
        } catch {
            return [.failed("model", error)]
        }
    }

    /// Every byte of the model against what was published.
    private static func modelFiles(_ configuration: AppConfiguration) -> [Finding] {
        let check = ModelCheck.run(directory: configuration.modelDirectory)
        guard check.problems.isEmpty else {
            let hint = "remove the file, then run scripts/fetch-model"
            return check.problems.prefix(20).map { Finding("model", .failure, $0, hint: hint) }
        }
        let files = check.files.map(\.name).joined(separator: ", ")
        guard let known = check.knownModel else {
            return [Finding("model", .ok, "\(files) read whole; this program knows no checksums of that model")]
        }
        return [Finding("model", .ok, "SHA-256 of \(files) is that of \(known) as published")]
    }

    /// Every stored file against its hash.
    private static func attachments(_ services: Services) async -> [Finding] {
        do {
            let context = try await services.ownerContext(.commandLine, timeout: .seconds(24 * 3_600))
            let report = try await services.attachments.verify(context: context)
            let counts = "\(report.attachments) attachments, \(report.files) files, \(report.bytes) bytes"
            let hint = "restore data/attachments from a backup"
            return [Finding("attachments", report.problemCount == 0 ? .ok : .failure, counts)]
                + report.problems.map { Finding("attachments", .failure, $0, hint: hint) }
        } catch {
            return [.failed("attachments", error)]
        }
    }

    /// The store against itself: files, links, cells, change log.
    private static func records(_ services: Services) async -> [Finding] {
        var findings: [Finding] = []
        do {
            let damage = try await services.database.integrityCheck()
            findings += damage.prefix(10).map { Finding("database", .failure, $0, hint: "restore a backup") }
            let context = try await services.ownerContext(.commandLine, timeout: .seconds(24 * 3_600))
            let report = try await services.airtable.verify(context: context)
            let counts =
                "\(report.records) records in \(report.tables) tables, \(report.links) links, \(report.changes) changes"
            findings.append(Finding("records", report.isSound ? .ok : .failure, counts))
            findings += report.problems.prefix(20).map { Finding("records", .failure, $0, hint: "restore a backup") }
        } catch {
            findings.append(.failed("records", error))
        }
        return findings
    }
}
