import Access
import ArgumentParser
import Database
import Domain
import Foundation
import Logging

/// How fast permission is decided and compiled, in a tenant with many grants.
///
/// Decisions are of random users about random places of a policy whose grants are spread over users, groups, tables,
/// fields and records. `objects` is what a search asks before it ranks: which of a table's records somebody may see, when
/// grants name thousands of them. The service's figures are with SQLite, in a directory of its own.
struct PermissionBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "permission",
        abstract: "Measure decisions, and what exists for somebody."
    )

    @Option(help: "Grants of the tenant.")
    var grants = Limits.grantsPerTenant

    @Option(help: "Records of the table that is listed.")
    var records = 100_000

    @Option(help: "Decisions to time.")
    var decisions = 2_000_000

    private struct Report: Encodable {
        var grants: Int
        var decisionsPerSecond: Double
        var allowedShare: Double
        var decisionsPerSecondOfStrangers: Double
        var policyMs: Double
        var objects: Int
        var objectsColdMs: Double
        var objectsRepeatedMs: Double
        var serviceColdMs: Double
        var serviceCachedMs: Double
    }

    func run() async throws {
        guard (100...Limits.grantsPerTenant).contains(grants), records > 0, decisions > 1_000 else {
            throw UsageError.because("--grants is from 100 to \(Limits.grantsPerTenant), the others are positive")
        }
        var tenant = BenchTenant(grants: grants)
        let clock = ContinuousClock()
        var policy = tenant.policy
        let policyTime = clock.measure { policy = tenant.policy }
        let (rate, share) = decided(policy, &tenant, clock)
        let strangers = decidedAnew(policy, &tenant, clock)

        let listed = tenant.listed(records: records, named: grants / 2)
        var found = 0
        let cold = median(9) { clock.measure { found = Self.seen(listed, of: listed.policy) } }
        let scope = listed.policy.standing(of: listed.user)?.scope(for: .search)
        let repeated = median(9) { clock.measure { found = Self.passing(listed, scope) } }
        let (serviceCold, serviceCached) = try await service(listed.policy, clock)
        let report = Report(
            grants: policy.grants.count,
            decisionsPerSecond: rate,
            allowedShare: share,
            decisionsPerSecondOfStrangers: strangers,
            policyMs: policyTime.milliseconds,
            objects: found,
            objectsColdMs: cold,
            objectsRepeatedMs: repeated,
            serviceColdMs: serviceCold,
            serviceCachedMs: serviceCached
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        Console.write(String(decoding: try encoder.encode(report), as: UTF8.self) + "\n")
    }

    /// Decisions of people whose standing is known.
    private func decided(
        _ policy: PolicySet,
        _ tenant: inout BenchTenant,
        _ clock: ContinuousClock
    ) -> (rate: Double, share: Double) {
        let standings = tenant.users.prefix(100).compactMap { policy.standing(of: $0) }
        let questions = (0..<4_096).map { _ in tenant.question() }
        var allowed = 0
        let time = clock.measure {
            for number in 0..<decisions {
                let (permission, place) = questions[number & 4_095]
                if standings[number % standings.count].decide(permission, on: place).isAllowed { allowed += 1 }
            }
        }
        return (Double(decisions) / time.seconds, Double(allowed) / Double(decisions))
    }

    /// One decision each of people of whom nothing is known yet.
    private func decidedAnew(_ policy: PolicySet, _ tenant: inout BenchTenant, _ clock: ContinuousClock) -> Double {
        let count = decisions / 100
        let questions = (0..<1_024).map { _ in tenant.question() }
        var allowed = 0
        let users = tenant.users
        let time = clock.measure {
            for number in 0..<count {
                let (permission, place) = questions[number & 1_023]
                let standing = policy.standing(of: users[number % users.count])
                if standing?.decide(permission, on: place).isAllowed == true { allowed += 1 }
            }
        }
        return Double(count) / time.seconds
    }

    private static func seen(_ listed: BenchTenant.Listed, of policy: PolicySet) -> Int {
        passing(listed, policy.standing(of: listed.user)?.scope(for: .search))
    }

    private static func passing(_ listed: BenchTenant.Listed, _ scope: VisibleScope?) -> Int {
        guard let scope, scope.allows(table: listed.table, in: listed.base) else { return 0 }
        guard let rule = scope.rule(table: listed.table) else { return listed.records.count }
        return listed.records.count { rule.passes($0) { _ in nil } }
    }

    /// Milliseconds until the service knows what exists for somebody, with nothing in memory and with all of it.
    private func service(_ policy: PolicySet, _ clock: ContinuousClock) async throws -> (cold: Double, cached: Double) {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("pyairtable-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }  // a directory left behind harms nobody
        let database = try await DatabaseOpener.open(url: "sqlite:" + directory.path + "/bench.db")
        try await Migrator.migrate(database, AccessStore.migrations)
        let first = AccessService(database: database)
        let bootstrap = try await first.bootstrap()
        let store = AccessStore(database: database)
        for grant in policy.grants {
            _ = try await store.insert(
                Grant(
                    id: grant.id,
                    subject: .everybody,
                    effect: grant.effect,
                    bundle: grant.bundle,
                    resource: grant.resource,
                    createdBy: bootstrap.owner,
                    createdTime: grant.createdTime
                ),
                tenant: bootstrap.tenant,
                limit: Limits.grantsPerTenant
            )
        }
        let context = try await first.ownerContext(
            origin: .commandLine,
            timeout: .seconds(600),
            logger: Logger(label: "bench")
        )
        var cold: [Double] = []
        for _ in 0..<9 {
            let service = AccessService(database: database)
            let start = clock.now
            _ = try await service.visibleScope(for: context, doing: .search)
            cold.append((clock.now - start).milliseconds)
        }
        let warm = AccessService(database: database)
        _ = try await warm.visibleScope(for: context, doing: .search)
        let rounds = 10_000
        let start = clock.now
        for _ in 0..<rounds { _ = try await warm.visibleScope(for: context, doing: .search) }
        let cached = (clock.now - start).milliseconds / Double(rounds)
        await database.close()
        return (cold.sorted()[cold.count / 2], cached)
    }

    private func median(_ rounds: Int, _ body: () -> Duration) -> Double {
        (0..<rounds).map { _ in body().milliseconds }.sorted()[rounds / 2]
    }
}

extension Duration {
    fileprivate var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
    fileprivate var milliseconds: Double { seconds * 1_000 }
}
