public import Access
public import Domain
public import Logging
import Synchronization

/// Keeps every hosted base of this process's tenants in step, each on its own, for as long as it runs.
public struct MirrorKeeper: Sendable {
    private let service: AirtableService
    private let access: AccessService
    private let rules: MirrorRules
    private let tenants: @Sendable () async throws -> [TenantID]
    private let logger: Logger
    private let owner = Self.randomOwner

    public init(
        service: AirtableService,
        access: AccessService,
        rules: MirrorRules = MirrorRules(),
        logger: Logger,
        tenants: @escaping @Sendable () async throws -> [TenantID]
    ) {
        self.service = service
        self.access = access
        self.rules = rules
        self.logger = logger
        self.tenants = tenants
    }

    /// A name for who keeps bases in step: this process, and something that nobody else of it has.
    public static var randomOwner: String { "\(ImportOwner.current) \(UserID.random())" }

    /// How often it looks for bases that have come.
    private static let look = Duration.seconds(1)

    /// Those that have a task.
    private final class Tended: Sendable {
        let bases = Mutex<Set<Base>>([])
    }

    private struct Base: Sendable, Hashable {
        let tenant: TenantID
        let id: BaseID
    }

    /// Ends only by cancellation.
    public func run() async throws {
        let tended = Tended()
        try await withThrowingDiscardingTaskGroup { group in
            while true {
                for base in await found() where tended.bases.withLock({ $0.insert(base).inserted }) {
                    group.addTask {
                        try await tend(base)
                        _ = tended.bases.withLock { $0.remove(base) }
                    }
                }
                try await Task.sleep(for: Self.look)
            }
        }
    }

    private func found() async -> [Base] {
        do {
            var bases: [Base] = []
            for tenant in try await tenants() {
                let known = try await service.hostedBases(tenant: tenant, deadline: .now + rules.patience)
                bases += known.map { Base(tenant: tenant, id: $0.base) }
            }
            return bases
        } catch {
            logger.warning("hosted bases could not be listed", metadata: ["error": "\(error)"])
            return []
        }
    }

    /// Rounds of one base, until it is gone.
    private func tend(_ base: Base) async throws {
        var failures = 0
        while true {
            do {
                // A first pull of a large base takes long; each of its calls has its own patience.
                let context = try await access.systemContext(
                    tenant: base.tenant,
                    timeout: .seconds(86_400),
                    logger: logger
                )
                _ = try await service.synchronise(base.id, owner: owner, rules: rules, context: context)
                failures = 0
            } catch let error as AirtableError where error.code == .modelNotFound {
                return
            } catch let error where !(error is CancellationError) {
                failures += 1
                let level: Logger.Level = failures == 1 ? .warning : .debug
                logger.log(
                    level: level,
                    "a hosted base was not kept in step",
                    metadata: ["base": "\(base.id)", "error": "\(error)"]
                )
            }
            try await Task.sleep(for: min(rules.pauseMax, rules.pollInterval * (1 << min(failures, 8))))
        }
    }
}
