import Access
import Airtable
import Domain
import Embeddings
import Foundation
import Search
import VectorIndex

extension Doctor {
    /// The index against the store. What it merely has not reached yet is no damage.
    static func index(_ services: Services, verifies: Bool) async -> [Finding] {
        let search: SearchServices
        // A missing model is said above already; without it there is nothing to compare with.
        do { search = try await services.openSearch() } catch { return [] }
        defer { search.pool.close() }
        do {
            let status = try await search.indexer.status(tenant: services.first.tenant)
            guard status.isCurrent else {
                let hint = "run index; a server does it by itself"
                let waiting = status.tables.filter { !$0.isCurrent }.count
                let message = "behind by \(status.lag) changes and \(waiting) tables"
                return [Finding("index", .warning, message, hint: hint)]
            }
            let gaps = try await search.verifier.gaps(tenant: services.first.tenant)
            if !gaps.isEmpty { return gaps.map(finding) }
            guard verifies else { return [Finding("index", .ok, "current")] }
            let report = try await search.verifier.verify(tenant: services.first.tenant)
            let counts = "\(report.recordsChecked) records and \(report.unitsChecked) units agree with it"
            if report.problemCount == 0 { return [Finding("index", .ok, counts)] }
            return report.problems.prefix(20).map { Finding("index", .failure, $0, hint: "run index --rebuild") }
        } catch {
            return [.failed("index", error)]
        }
    }

    private static func finding(_ gap: VectorGap) -> Finding {
        let what =
            gap.found.map { "has \($0) of \(gap.expected) vectors" } ?? "can't be read (\(gap.expected) vectors)"
        let message = "the index of base \(gap.base) \(what) by this model: it is found by words only"
        return Finding("index", .failure, message, hint: "run index; was it made with another model?")
    }

    /// The files of each vector index: which there are, or, when verifying, what they hold. Needs no model.
    static func indexFiles(_ services: Services, verifies: Bool) async -> [Finding] {
        let names: [BaseID: String]
        do {
            let context = try await services.ownerContext(.commandLine, timeout: .seconds(60))
            let bases = try await services.airtable.bases(context: context)
            names = Dictionary(bases.map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
        } catch {
            return [.failed("index", error)]
        }
        return StoredCollection.all(in: services.configuration.indexDirectory).map { stored in
            var place = names[stored.base].map { "base \"\($0)\" (\(stored.base))" } ?? "base \(stored.base)"
            let isLeftOver = names[stored.base] == nil && stored.tenant == services.first.tenant
            if isLeftOver { place += ", which is no more" }
            let finding = verifies ? verified(stored, place) : Finding("index", .ok, "\(place): \(size(stored))")
            guard isLeftOver, finding.verdict == .ok else { return finding }
            return Finding("index", .warning, finding.message, hint: "run index, or remove \(stored.path)")
        }
    }

    private static func verified(_ stored: StoredCollection, _ place: String) -> Finding {
        do {
            let report = try IndexVerifier.verify(directory: stored.path)
            if let problem = report.problems.first {
                let more = report.problems.count > 1 ? " (and \(report.problems.count - 1) more)" : ""
                return Finding("index", .failure, "\(place): \(problem)\(more)", hint: "run index --rebuild")
            }
            var message = "\(place): \(report.count) vectors, \(size(stored)), generation \(report.generation)"
            if report.unreachableCount > 0 {
                message += ", \(report.unreachableCount) of them found by exact search only"
            }
            if report.hasTornTail { message += ", its last change was not completed and does not count" }
            return Finding("index", .ok, message)
        } catch  where error.code == .notFound {
            return Finding("index", .warning, "\(place): no index in \(stored.path) yet", hint: "run index")
        } catch {
            return .failed(
                "index",
                SearchError(.indexFailed, "\(place): \(error.message)", hint: "run index --rebuild")
            )
        }
    }

    private static func size(_ stored: StoredCollection) -> String { "\(stored.byteCount) bytes" }
}
