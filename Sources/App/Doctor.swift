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
    /// - Parameter verifies: also reads the whole database and index and compares them.
    public static func examine(_ configuration: AppConfiguration, verifies: Bool, logger: Logger) async -> [Finding] {
        var findings = machine() + model(configuration)
        do {
            let services = try await Services.open(configuration, logger: logger)
            findings.append(Finding("database", .ok, services.database.location))
            findings += await index(services, verifies: verifies)
            if verifies { findings += await records(services) }
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

    private static func model(_ configuration: AppConfiguration) -> [Finding] {
        guard configuration.embedder == .local else {
            let hint = "unset PYAIRTABLE_EMBEDDER to search by meaning"
            return [Finding("model", .warning, "the hash embedder finds words, not meaning", hint: hint)]
        }
        let pool = ComputePool(threads: 1)
        defer { pool.close() }
        do {
            let embedder = try TransformerEmbedder.load(directory: configuration.modelDirectory, pool: pool)
            return [Finding("model", .ok, "\(embedder.identity.id) in \(configuration.modelDirectory)")]
        } catch {
            return [.failed("model", error)]
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

    /// The index against the store. What it merely has not reached yet is no damage.
    private static func index(_ services: Services, verifies: Bool) async -> [Finding] {
        let search: SearchServices
        // A missing model is said above already; without it there is nothing to compare with.
        do { search = try services.openSearch() } catch { return [] }
        defer { search.pool.close() }
        do {
            let status = try await search.indexer.status(tenant: services.first.tenant)
            guard status.isCurrent else {
                let hint = "run index; a server does it by itself"
                let waiting = status.tables.filter { !$0.isCurrent }.count
                let message = "behind by \(status.lag) changes and \(waiting) tables"
                return [Finding("index", .warning, message, hint: hint)]
            }
            guard verifies else { return [Finding("index", .ok, "current")] }
            let report = try await search.verifier.verify(tenant: services.first.tenant)
            let counts = "\(report.recordsChecked) records and \(report.unitsChecked) units agree with it"
            if report.problemCount == 0 { return [Finding("index", .ok, counts)] }
            return report.problems.prefix(20).map { Finding("index", .failure, $0, hint: "run index --rebuild") }
        } catch {
            return [.failed("index", error)]
        }
    }
}
