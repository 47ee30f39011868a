import Database
import Domain
import Synchronization

/// The schemas of the tenants last seen, checked against the stored version inside each
/// transaction.
///
/// A read of records then costs one read of a small integer more, never a read of the schema, and
/// still never sees a schema older than its transaction.
final class SchemaCache: Sendable {
    private let schemas = Mutex<[TenantID: TenantSchema]>([:])
    private let store = SchemaStore()
    private let capacity: Int

    init(capacity: Int = Limits.cachedSchemas) { self.capacity = capacity }

    /// The schema last seen, which may be an old one.
    func latest(_ tenant: TenantID) -> TenantSchema? { schemas.withLock { $0[tenant] } }

    /// The tenant's schema as of `transaction`.
    ///
    /// - Parameter keeps: false in a transaction that writes: what it sees may be rolled back, and
    ///   its version then be given to another schema.
    func schema(_ tenant: TenantID, in transaction: any Transaction, keeps: Bool = true) throws -> TenantSchema {
        let version = try store.version(tenant: tenant, in: transaction)
        let cached = schemas.withLock { $0[tenant] }
        if let cached, cached.version == version { return cached }
        let loaded = try store.load(tenant: tenant, version: version, in: transaction)
        guard keeps else { return loaded }
        schemas.withLock { schemas in
            if schemas.count >= capacity, schemas[tenant] == nil, let other = schemas.keys.first {
                schemas[other] = nil
            }
            if schemas[tenant].map({ $0.version < version }) ?? true { schemas[tenant] = loaded }
        }
        return loaded
    }
}
