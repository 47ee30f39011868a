import Database
public import Domain
import Embeddings

/// A base whose index lacks vectors that its records' texts should have, or cannot be read.
///
/// Such a base is found by words only: its files are lost or damaged, or another model made them.
public struct VectorGap: Sendable, Hashable {
    public let base: BaseID
    /// Texts that have a vector according to the database.
    public let expected: Int
    /// Vectors in the index of the present model; nil when its files cannot be read.
    public let found: Int?
}

extension SearchVerifier {
    /// Compares counts only, one look at each base; `verify` compares everything.
    public func gaps(tenant: TenantID) async throws -> [VectorGap] {
        let store = SearchStore()
        let counts = try await services.database.read(of: .tenant(tenant)) {
            try store.encodedCounts(tenant: tenant, in: $0)
        }
        let collections = try await services.models.live(tenant: tenant).collections
        return try await services.pool.run(priority: .interactive) {
            counts.sorted { $0.key < $1.key }.compactMap { base, expected in
                // What cannot be opened is the finding.
                let found = try? collections.count(tenant: tenant, base: base)
                // More are what a batch has flushed and not yet committed.
                if let found, found >= expected { return nil }
                return VectorGap(base: base, expected: expected, found: found)
            }
        }
    }
}
