public import Domain
import Synchronization

/// How far a tenant's index is.
public struct IndexStatus: Sendable, Hashable {
    /// A table that was, or is being, gone through as a whole.
    public struct Table: Sendable, Hashable {
        public let table: TableID
        public let base: BaseID
        /// Records gone through, and there to go through, about.
        public let done: Int
        public let total: Int
        public let isCurrent: Bool
    }

    /// The last change that is in the index; nil before the first start of indexing.
    public let checkpoint: Int64?
    /// The last change there is.
    public let latest: Int64
    public let tables: [Table]

    /// Changes not yet dealt with.
    public var lag: Int64 { latest - (checkpoint ?? 0) }

    /// Whether all that was written can be found.
    public var isCurrent: Bool { checkpoint.map { $0 >= latest } ?? false && tables.allSatisfy(\.isCurrent) }
}

/// Records indexed of those to index. Neither number ever goes back during one call.
public struct IndexProgress: Sendable, Hashable {
    public let done: Int
    public let total: Int
}

/// Adds up the backfills that were seen unfinished.
final class ProgressWatch: Sendable {
    private struct State {
        var seen: [TableID: (done: Int, total: Int)] = [:]
        var last = IndexProgress(done: 0, total: 0)
    }

    private let state = Mutex(State())
    private let report: @Sendable (IndexProgress) -> Void

    init(report: @escaping @Sendable (IndexProgress) -> Void) { self.report = report }

    func see(_ backfills: [Backfill], of tenant: TenantID) {
        let progress = state.withLock { state -> IndexProgress? in
            for backfill in backfills where backfill.phase != .done || state.seen[backfill.table] != nil {
                let old = state.seen[backfill.table] ?? (0, 0)
                state.seen[backfill.table] = (max(old.done, backfill.done), max(old.total, backfill.total))
            }
            let done = state.seen.values.reduce(0) { $0 + $1.done }
            let total = max(state.last.total, state.seen.values.reduce(0) { $0 + $1.total })
            let progress = IndexProgress(done: max(state.last.done, min(done, total)), total: total)
            if progress == state.last { return nil }
            state.last = progress
            return progress
        }
        if let progress { report(progress) }
    }
}
