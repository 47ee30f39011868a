import Domain
import Synchronization

/// Answers of the hosted service, kept for seconds.
///
/// An answer belongs to the token it was given to. A write through this process drops what it may have changed: the
/// table itself and every table that it is linked with, however far, since lookups and rollups show it there; all of
/// the base when its schema is not known, or when the schema turns out to have changed. An answer that was asked for
/// before a write is not kept after it.
final class HostedCache: Sendable {
    typealias Moment = ContinuousClock.Instant

    /// What an answer is about.
    enum Subject: Sendable, Hashable {
        case list
        case schema(BaseID)
        /// The table as it was addressed: by name or identifier.
        case records(BaseID, table: String)

        var base: BaseID? {
            switch self {
            case .list: nil
            case .schema(let base), .records(let base, _): base
            }
        }
    }

    /// A question under way.
    struct Asked: Sendable {
        let subject: Subject
        let time: Moment
        fileprivate let generation: UInt64
    }

    private struct Kept {
        let answer: JSONValue
        let subject: Subject
        let end: Moment
        let byteCount: Int
        let order: UInt64
    }

    private struct State {
        var answers: [HostedOrder.ReadKey: Kept] = [:]
        var byteCount = 0
        var lastOrder: UInt64 = 0
        /// Rises with every write; also where a new base begins.
        var writes: UInt64 = 0
        var generations: [BaseID: UInt64] = [:]
        /// The generation of bases that are not in `generations`: rises when some are forgotten.
        var generationFloor: UInt64 = 0
        var schemas: [BaseID: [HostedTable]] = [:]
    }

    private let state = Mutex(State())
    private let rules: HostedRules
    private let bytesMax: Int
    private let observe: @Sendable (HostedEvent) -> Void

    init(
        rules: HostedRules,
        bytesMax: Int = Limits.hostedCacheBytes,
        observe: @escaping @Sendable (HostedEvent) -> Void
    ) {
        self.rules = rules
        self.bytesMax = bytesMax
        self.observe = observe
    }

    func answer(to key: HostedOrder.ReadKey, at now: Moment) -> JSONValue? {
        let kept = state.withLock { state -> JSONValue? in
            guard let kept = state.answers[key] else { return nil }
            if kept.end > now { return kept.answer }
            Self.drop(key, &state)
            return nil
        }
        observe(kept == nil ? .cacheMiss : .cacheHit)
        return kept
    }

    /// To be called before a question goes out.
    func begin(_ subject: Subject, at now: Moment) -> Asked {
        let generation = state.withLock { state in
            subject.base.flatMap { state.generations[$0] } ?? state.generationFloor
        }
        return Asked(subject: subject, time: now, generation: generation)
    }

    /// Keeps an answer, unless the base was written to since it was asked for.
    func keep(_ answer: JSONValue, to key: HostedOrder.ReadKey, _ asked: Asked) {
        let freshness: Duration
        if case .records = asked.subject {
            freshness = rules.recordFreshness
        } else {
            freshness = rules.schemaFreshness
        }
        let byteCount = answer.encoded().count
        guard byteCount <= bytesMax / 4 else { return }
        state.withLock { state in
            let generation = asked.subject.base.flatMap { state.generations[$0] } ?? state.generationFloor
            guard generation == asked.generation else { return }
            Self.drop(key, &state)
            state.lastOrder += 1
            state.answers[key] = Kept(
                answer: answer,
                subject: asked.subject,
                end: asked.time + freshness,
                byteCount: byteCount,
                order: state.lastOrder
            )
            state.byteCount += byteCount
            guard state.byteCount > bytesMax else { return }
            // Oldest first: they are the next to be stale anyway.
            for (key, _) in state.answers.sorted(by: { $0.value.order < $1.value.order }) {
                guard state.byteCount > bytesMax / 4 * 3 else { break }
                Self.drop(key, &state)
            }
        }
    }

    /// Remembers how a base's tables hang together; one that changed makes all its records' answers worthless.
    func learn(_ tables: [HostedTable], of base: BaseID) {
        let didChange = state.withLock { state in
            let known = state.schemas.updateValue(tables, forKey: base)
            // Bases come and go with tokens; what is forgotten is learnt again.
            if state.schemas.count > Limits.cachedSchemas { state.schemas = [base: tables] }
            guard let known, known != tables else { return false }
            Self.advance(base, &state)
            for (key, kept) in state.answers {
                if case .records(base, _) = kept.subject { Self.drop(key, &state) }
            }
            return true
        }
        if didChange { observe(.cacheInvalidated) }
    }

    /// Drops what a write to `table` may change; without one, all of the base.
    func invalidate(_ base: BaseID, table: String? = nil) {
        let count = state.withLock { state in
            Self.advance(base, &state)
            let names = table.flatMap { state.schemas[base]?.connected(to: $0) }
            let before = state.answers.count
            for (key, kept) in state.answers where kept.subject.base == base {
                switch kept.subject {
                case .records(_, let other):
                    if names?.contains(other) ?? true { Self.drop(key, &state) }
                // Writing records with typecast can add choices.
                case .schema, .list: Self.drop(key, &state)
                }
            }
            if table == nil { state.schemas[base] = nil }
            return before - state.answers.count
        }
        if count > 0 { observe(.cacheInvalidated) }
    }

    private static func advance(_ base: BaseID, _ state: inout State) {
        state.writes += 1
        state.generations[base] = state.writes
        guard state.generations.count > Limits.cachedSchemas else { return }
        // Who asked before finds another generation than the one they began with, and keeps nothing.
        state.generationFloor = state.writes
        state.generations = state.generations.filter { $0.value + UInt64(Limits.cachedSchemas) / 2 > state.writes }
    }

    private static func drop(_ key: HostedOrder.ReadKey, _ state: inout State) {
        if let kept = state.answers.removeValue(forKey: key) { state.byteCount -= kept.byteCount }
    }
}

extension [HostedTable] {
    /// Names and identifiers of the tables that `table` is linked with, itself included; nil when it is not among
    /// these.
    fileprivate func connected(to table: String) -> Set<String>? {
        guard let start = first(where: { $0.id.description == table || $0.name == table }) else { return nil }
        var reached: Set<TableID> = [start.id]
        var isGrowing = true
        while isGrowing {
            let count = reached.count
            for table in self {
                let linked = table.fields.compactMap(\.linkedTable)
                if reached.contains(table.id) { reached.formUnion(linked) }
                // The other side of a link may be hidden from this token.
                if !reached.isDisjoint(with: linked) { reached.insert(table.id) }
            }
            isGrowing = reached.count > count
        }
        return Set(filter { reached.contains($0.id) }.flatMap { [$0.id.description, $0.name] })
    }
}
