package import Domain
package import Embeddings
import Foundation
import Synchronization
package import VectorIndex

/// The vector indexes of a data directory: one for each tenant, base and model.
///
/// `DIR/index/TENANT/BASE/MODEL/`, where MODEL is a hash of the model's identity, so that another model never meets the
/// old vectors. In the process that holds the indexer's lock a collection is an `IndexWriter`, searched where it is
/// written; in every other an `IndexReader` that looks for news before each search. At most `openMax` are open;
/// the one longest unused goes first, and never one with changes that are not yet on disk.
///
/// Synchronous, and safe to use from any thread; searching is work for `ComputePool`.
package final class VectorCollections: Sendable {
    private struct Place: Hashable {
        let tenant: TenantID
        let base: BaseID
    }

    private enum Handle {
        case writer(IndexWriter)
        case reader(IndexReader)
    }

    private struct Entry {
        let handle: Handle
        var lastUse: UInt64
        /// Writers in hand aren't closed.
        var pins = 0
    }

    private struct State {
        var entries: [Place: Entry] = [:]
        var uses: UInt64 = 0
    }

    /// The `index` directory.
    package let directory: String
    private let identity: String
    let dimension: Int
    private let openMax: Int
    private let state = Mutex(State())

    package init(directory: String, identity: ModelIdentity, openMax: Int = Limits.openCollections) {
        self.directory = directory
        self.identity = identity.text
        self.dimension = identity.dimensions
        self.openMax = max(1, openMax)
    }

    // MARK: Reading

    /// The `k` nearest of the allowed units in one base, nearest first. Empty when the base has no vectors.
    package func search(
        _ vector: [Float],
        k: Int,
        ef: Int? = nil,
        allowed: AllowedKeys,
        tenant: TenantID,
        base: BaseID
    ) throws -> [Neighbor] {
        var statistics = SearchStatistics()
        return try search(
            vector,
            k: k,
            ef: ef,
            allowed: allowed,
            tenant: tenant,
            base: base,
            statistics: &statistics
        )
    }

    /// The same, adding to `statistics` what it did.
    func search(
        _ vector: [Float],
        k: Int,
        ef: Int? = nil,
        allowed: AllowedKeys,
        tenant: TenantID,
        base: BaseID,
        statistics: inout SearchStatistics
    ) throws -> [Neighbor] {
        let handle = try handle(Place(tenant: tenant, base: base))
        do {
            switch handle {
            case .writer(let writer):
                return try writer.search(vector, k: k, ef: ef, allowed: allowed, statistics: &statistics)
            case .reader(let reader):
                return try reader.search(vector, k: k, ef: ef, allowed: allowed, statistics: &statistics)
            case nil: return []
            }
        } catch { throw SearchError(error) }
    }

    /// Vectors of one base.
    func count(tenant: TenantID, base: BaseID) throws -> Int {
        switch try handle(Place(tenant: tenant, base: base)) {
        case .writer(let writer): return writer.count
        case .reader(let reader): return reader.count
        case nil: return 0
        }
    }

    // MARK: Writing

    /// Runs `body` with the base's writer, opening or making the index.
    ///
    /// Only for the holder of the indexer's lock, one call at a time for a base.
    package func withWriter<T>(tenant: TenantID, base: BaseID, _ body: (IndexWriter) throws -> T) throws -> T {
        let place = Place(tenant: tenant, base: base)
        let writer = try pinnedWriter(place)
        defer { state.withLock { $0.entries[place]?.pins -= 1 } }
        return try translated { try body(writer) }
    }

    /// Closes every writer, so that another process may take over.
    package func closeWriters() {
        let closed = state.withLock { state in
            let writers = state.entries.filter { if case .writer = $0.value.handle { true } else { false } }
            for place in writers.keys { state.entries[place] = nil }
            return writers
        }
        for entry in closed.values { Self.close(entry) }
    }

    /// Closes every index of a tenant.
    package func close(tenant: TenantID) {
        let closed = state.withLock { state in
            let own = state.entries.filter { $0.key.tenant == tenant }
            for place in own.keys { state.entries[place] = nil }
            return own
        }
        for entry in closed.values { Self.close(entry) }
    }

    /// Removes the index of one base from disk, for building it anew. Only for the holder of the indexer's lock.
    package func remove(tenant: TenantID, base: BaseID) throws {
        let place = Place(tenant: tenant, base: base)
        if let closed = state.withLock({ $0.entries.removeValue(forKey: place) }) { Self.close(closed) }
        let path = path(of: place)
        guard FileManager.default.fileExists(atPath: path) else { return }
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            throw SearchError(.indexFailed, "The index of a base could not be removed.", detail: "\(path): \(error)")
        }
    }

    /// Removes a tenant's indexes but those in `kept`: what other models have left. Only for the holder of the
    /// indexer's lock.
    package static func removeOthers(in directory: String, tenant: TenantID, keeping kept: [VectorCollections]) throws {
        for stored in StoredCollection.all(in: directory) where stored.tenant == tenant {
            let place = Place(tenant: tenant, base: stored.base)
            if kept.contains(where: { $0.path(of: place) == stored.path }) { continue }
            do {
                try FileManager.default.removeItem(atPath: stored.path)
            } catch {
                throw SearchError(
                    .indexFailed,
                    "An index of another model could not be removed.",
                    detail: "\(stored.path): \(error)"
                )
            }
        }
    }

    /// Where a base's index lies.
    package func path(tenant: TenantID, base: BaseID) -> String { path(of: Place(tenant: tenant, base: base)) }

    // MARK: Private

    private func path(of place: Place) -> String {
        let model = ContentHash(of: identity).bytes.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }
        return "\(directory)/\(place.tenant)/\(place.base)/\(model.joined())"
    }

    private func handle(_ place: Place) throws -> Handle? {
        if let known = use(place) {
            guard case .reader(let reader) = known else { return known }
            do {
                try reader.refresh()
                return known
            } catch {
                // Removed, or made anew, under the reader: what is there now is looked at with fresh eyes.
                forget(reader, at: place)
            }
        }
        let path = path(of: place)
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        do {
            let reader = try IndexReader.open(directory: path, identity: identity)
            return insert(.reader(reader), at: place, pins: 0)
        } catch  where error.code == .notFound {
            return nil
        } catch {
            throw SearchError(error)
        }
    }

    private func pinnedWriter(_ place: Place) throws -> IndexWriter {
        let known = state.withLock { state -> IndexWriter? in
            guard case .writer(let writer) = state.entries[place]?.handle else { return nil }
            state.uses += 1
            state.entries[place]?.lastUse = state.uses
            state.entries[place]?.pins += 1
            return writer
        }
        if let known { return known }
        let path = path(of: place)
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw SearchError(.indexFailed, "The index directory cannot be written.", detail: "\(path): \(error)")
        }
        let parameters = IndexParameters(dimension: dimension, metric: .cosine, identity: identity)
        let writer = try translated { try IndexWriter.open(directory: path, parameters: parameters) }
        insert(.writer(writer), at: place, pins: 1)
        return writer
    }

    private func use(_ place: Place) -> Handle? {
        state.withLock { state in
            guard state.entries[place] != nil else { return nil }
            state.uses += 1
            state.entries[place]?.lastUse = state.uses
            return state.entries[place]?.handle
        }
    }

    /// A reader gives way to one that is there already; a writer takes a reader's place.
    @discardableResult
    private func insert(_ handle: Handle, at place: Place, pins: Int) -> Handle {
        let (kept, closed) = state.withLock { state -> (Handle, [Entry]) in
            state.uses += 1
            var closed: [Entry] = []
            if let other = state.entries[place] {
                if case .reader = handle { return (other.handle, []) }
                closed.append(other)
            }
            state.entries[place] = Entry(handle: handle, lastUse: state.uses, pins: pins)
            while state.entries.count > openMax {
                let idle = state.entries.filter { $0.value.pins == 0 && $0.key != place }
                guard let oldest = idle.min(by: { $0.value.lastUse < $1.value.lastUse }) else { break }
                closed.append(oldest.value)
                state.entries[oldest.key] = nil
            }
            return (handle, closed)
        }
        for entry in closed { Self.close(entry) }
        return kept
    }

    private func forget(_ reader: IndexReader, at place: Place) {
        state.withLock { state in
            if case .reader(let known) = state.entries[place]?.handle, known === reader { state.entries[place] = nil }
        }
    }

    /// Gives a writer's lock back, also while somebody still searches it.
    private static func close(_ entry: Entry) {
        if case .writer(let writer) = entry.handle { writer.close() }
    }

    private func translated<T>(_ body: () throws -> T) throws -> T {
        do { return try body() } catch let error as VectorIndexError { throw SearchError(error) }
    }
}

extension SearchError {
    init(_ error: VectorIndexError) {
        let detail = [error.message, error.detail].compactMap(\.self).joined(separator: ": ")
        switch error.code {
        case .corrupt, .unsupportedVersion, .identityMismatch, .parameterMismatch:
            self = .corrupt("file", detail: detail)
        case .locked:
            self.init(.indexerElsewhere, "Another process writes the search index.", detail: detail)
        case .dimensionMismatch, .notFinite, .zeroVector, .invalidParameter, .notFound, .inputOutput, .full, .closed:
            self.init(.indexFailed, "The search index failed.", hint: "run doctor", detail: detail)
        }
    }
}
