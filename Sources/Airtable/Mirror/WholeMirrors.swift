import Domain
import Synchronization

/// Mirrors whose first pull was seen to be over, so that their readers need not ask again. One that was whole stays it, also
/// while a new table of it comes.
final class WholeMirrors: Sendable {
    private struct Mirror: Hashable {
        let tenant: TenantID
        let base: BaseID
    }

    private let known = Mutex<Set<Mirror>>([])

    func contains(_ base: BaseID, tenant: TenantID) -> Bool {
        known.withLock { $0.contains(Mirror(tenant: tenant, base: base)) }
    }

    func insert(_ base: BaseID, tenant: TenantID) {
        known.withLock { known in
            // Far more than anybody has; who is forgotten is asked for again.
            if known.count >= Limits.wholeMirrors { known.removeAll() }
            known.insert(Mirror(tenant: tenant, base: base))
        }
    }

    func forget(_ base: BaseID, tenant: TenantID) {
        known.withLock { _ = $0.remove(Mirror(tenant: tenant, base: base)) }
    }
}
