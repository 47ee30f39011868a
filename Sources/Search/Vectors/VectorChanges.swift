import Dispatch
import Domain
import Embeddings
import VectorIndex

/// What one batch changes in the vectors of one base.
struct VectorChanges: Sendable {
    var removed: [UnitKey] = []
    var written: [(key: UnitKey, vector: [Float])] = []

    var isEmpty: Bool { removed.isEmpty && written.isEmpty }
}

extension VectorCollections {
    /// Vectors inserted in one go, some milliseconds: a search waits for no more than that.
    private static let insertedAtOnce = 16

    /// Makes `changes` and puts them on disk. Only for the holder of the indexer's lock, one call at a time for a base.
    ///
    /// Inserting is computing, in short pieces before bulk work, since others wait for it. Writing the file is waiting
    /// for the disk, on a thread of its own, so that it keeps no thread from encoding.
    ///
    /// - Parameter changed: called when all is changed and nothing is on disk.
    func make(
        _ changes: VectorChanges,
        tenant: TenantID,
        base: BaseID,
        on pool: ComputePool,
        changed: @escaping @Sendable () throws -> Void = {}
    ) async throws {
        if changes.isEmpty { return }
        if !changes.removed.isEmpty {
            try await pool.run(priority: .interactive) {
                try self.withWriter(tenant: tenant, base: base) { writer in
                    for key in changes.removed { try writer.delete(key.rawValue) }
                }
            }
        }
        for piece in SQLLists.runs(of: changes.written, count: Self.insertedAtOnce) {
            try await pool.run(priority: .interactive) {
                try self.withWriter(tenant: tenant, base: base) { writer in
                    try writer.upsert(keys: piece.map(\.key.rawValue), vectors: piece.flatMap(\.vector))
                }
            }
        }
        try changed()
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            Self.disk.async {
                continuation.resume(
                    with: Result { try self.withWriter(tenant: tenant, base: base) { try $0.flush() } }
                )
            }
        }
    }

    /// Tenants flush beside each other.
    private static let disk = DispatchQueue(label: "search.vectors.disk", attributes: .concurrent)
}
