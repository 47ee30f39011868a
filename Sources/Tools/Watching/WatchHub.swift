import Access
import Airtable
import Domain
import Logging
import Synchronization

/// Reads the change logs and policy versions of all tenants that anybody watches, once for all who do.
///
/// One task, which lives as long as somebody watches. It wakes up when this process commits something, and looks every
/// 250 ms for what others did: two small queries, however many watch. What changed goes to each mailbox as places;
/// nobody's rights are asked here.
final class WatchHub: Sendable {
    /// What is watched in one tenant.
    private struct Followed {
        var sequence: Int64
        var version: Int64
        var mailboxes: [UInt64: WatchMailbox] = [:]
    }

    private struct State {
        var tenants: [TenantID: Followed] = [:]
        var nextSeat: UInt64 = 0
        var task: Task<Void, Never>?
    }

    private let airtable: AirtableService
    private let access: AccessService
    private let logger: Logger
    private let times: Times
    private let changesMax: Int
    private let state = Mutex(State())
    /// Who watches never takes more connections than this from those who ask.
    let gate = LookGate(Limits.watchLooks)

    struct Times: Sendable {
        /// How long a change of another process may go unnoticed.
        var poll = Duration.milliseconds(250)
        /// Commits that come together are looked at together.
        var gathering = Duration.milliseconds(20)
        /// How long somebody who is told nothing may listen after they have lost the right to.
        var rights = Duration.seconds(15)
    }

    /// - Parameter changesMax: entries of a log in one look; after more, everything watched there is looked at.
    init(
        airtable: AirtableService,
        access: AccessService,
        logger: Logger,
        times: Times = Times(),
        changesMax: Int = Limits.watchedChanges
    ) {
        self.airtable = airtable
        self.access = access
        self.logger = logger
        self.times = times
        self.changesMax = changesMax
    }

    /// Everything committed after this returns, in whichever process, is posted to `mailbox` until the seat is gone.
    func join(_ tenant: TenantID, _ mailbox: WatchMailbox) async throws -> WatchSeat {
        let (sequence, version) = try await marks(of: [tenant])[tenant] ?? (0, 0)
        let seat = state.withLock { state in
            let number = state.nextSeat
            state.nextSeat += 1
            // Who is there already may have come less far, and goes on from there.
            state.tenants[tenant, default: Followed(sequence: sequence, version: version)].mailboxes[number] = mailbox
            // Unstructured, because it serves whoever watches and none of them may end it; owned by `state`, and
            // cancelled when the last of them goes.
            if state.task == nil { state.task = Task { [weak self] in await self?.run() } }
            return number
        }
        return WatchSeat(hub: self, tenant: tenant, number: seat, mailbox: mailbox)
    }

    fileprivate func leave(_ seat: WatchSeat) {
        let task = state.withLock { state -> Task<Void, Never>? in
            state.tenants[seat.tenant]?.mailboxes[seat.number] = nil
            if state.tenants[seat.tenant]?.mailboxes.isEmpty == true { state.tenants[seat.tenant] = nil }
            guard state.tenants.isEmpty else { return nil }
            defer { state.task = nil }
            return state.task
        }
        task?.cancel()
    }

    /// How many watch, in how many tenants, and whether anything runs for them.
    var counts: (mailboxes: Int, tenants: Int, isRunning: Bool) {
        state.withLock { state in
            (state.tenants.values.reduce(0) { $0 + $1.mailboxes.count }, state.tenants.count, state.task != nil)
        }
    }

    // MARK: Running

    private func run() async {
        let commits = airtable.changes.commits
        while !Task.isCancelled {
            let generation = commits.generation
            do {
                try await look()
            } catch {
                // What was not seen is seen the next time.
                if !Task.isCancelled { logger.debug("changes could not be read", metadata: ["error": "\(error)"]) }
            }
            await commits.wait(beyond: generation, atMost: times.poll)
            // Ends early only by being cancelled, which is looked at next.
            try? await Task.sleep(for: times.gathering)
        }
    }

    private func look() async throws {
        let known = state.withLock { $0.tenants.mapValues { (sequence: $0.sequence, version: $0.version) } }
        let marks = try await marks(of: Array(known.keys))
        let stale = ContinuousClock.now - times.rights
        for (tenant, known) in known {
            let (sequence, version) = marks[tenant] ?? (0, 0)
            if version != known.version {
                // Another process may have done it: the next who asks for rights here is not to be answered from before.
                access.policyChanged(in: tenant)
            }
            let places = sequence == known.sequence ? nil : try await places(after: known.sequence, tenant)
            let mailboxes = state.withLock { state -> [WatchMailbox] in
                guard state.tenants[tenant] != nil else { return [] }
                state.tenants[tenant]?.version = version
                if let places { state.tenants[tenant]?.sequence = places.found?.end ?? places.end }
                return state.tenants[tenant].map { Array($0.mailboxes.values) } ?? []
            }
            let time = ContinuousClock.now
            for mailbox in mailboxes {
                if version != known.version || places.map({ $0.found == nil }) == true {
                    mailbox.postEverything(at: time)
                } else {
                    if let found = places?.found { mailbox.post(found, at: time) }
                    mailbox.postRights(since: stale)
                }
            }
        }
    }

    /// Where something changed; `found` is nil when that is too much to tell, or no longer known, and anything may have.
    private func places(
        after sequence: Int64,
        _ tenant: TenantID
    ) async throws -> (found: ChangedPlaces?, end: Int64) {
        let changes = airtable.changes
        let end = try await changes.latestSequence(tenant: tenant)
        do {
            let found = try await changes.places(after: sequence, limit: changesMax, tenant: tenant)
            return (found.end < end ? nil : found, end)
        } catch let error as AirtableError where error.code == .resynchronise {
            return (nil, end)
        }
    }

    private func marks(of tenants: [TenantID]) async throws -> [TenantID: (sequence: Int64, version: Int64)] {
        let sequences = try await airtable.changes.latestSequences(of: tenants)
        let versions = try await access.policyVersions(of: tenants)
        return Dictionary(uniqueKeysWithValues: tenants.map { ($0, (sequences[$0] ?? 0, versions[$0] ?? 0)) })
    }
}

/// A place at the hub: watched until it is let go of.
final class WatchSeat: Sendable {
    let tenant: TenantID
    let mailbox: WatchMailbox
    fileprivate let number: UInt64
    private let hub: WatchHub

    fileprivate init(hub: WatchHub, tenant: TenantID, number: UInt64, mailbox: WatchMailbox) {
        self.hub = hub
        self.tenant = tenant
        self.number = number
        self.mailbox = mailbox
    }

    deinit { hub.leave(self) }
}
