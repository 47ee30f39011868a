import Airtable
import Domain
import Synchronization

/// One of the lists that programs are told of.
enum OfferList: Sendable, Hashable, CaseIterable {
    case tools, prompts, resources

    var change: OfferChange {
        switch self {
        case .tools: .tools
        case .prompts: .prompts
        case .resources: .resources
        }
    }
}

/// What one program watches, and what of it may have changed since it last looked.
///
/// Written to by whoever reads the change log, emptied by whoever tells the program. What comes while nobody looks is
/// merged: never more than is watched.
final class WatchMailbox: Sendable {
    /// What may have changed.
    struct Due: Sendable, Hashable {
        var lists: Set<OfferList> = []
        var uris: Set<String> = []
        /// Whether only the right to listen is to be asked for.
        var rights = false

        var isEmpty: Bool { lists.isEmpty && uris.isEmpty && !rights }

        mutating func formUnion(_ other: Due) {
            lists.formUnion(other.lists)
            uris.formUnion(other.uris)
            rights = rights || other.rights
        }
    }

    /// What a watched resource was made from when it was last read.
    struct Source: Sendable, Hashable {
        let address: ResourceAddress?
        var table: TableID?
        var records: Set<RecordID>
        /// Whether it was read yet: until then everything may be about it.
        var isKnown = false

        init(_ uri: String) {
            address = ResourceAddress(uri)
            if case .record(let record, _, _) = address { records = [record] } else { records = [] }
        }

        /// - Returns: whether it is made from other things than was known, whose changes may have been missed.
        mutating func learn(_ origin: WatchedLook.Origin?) -> Bool {
            let before = self
            isKnown = true
            if let origin {
                table = origin.table
                if case .record(let record, _, _) = address { records = origin.linked.union([record]) }
            }
            // Until it was known everything was taken for it.
            return before.isKnown && before != self
        }

        /// Whether it may read otherwise after these changes.
        func mayChange(by places: ChangedPlaces) -> Bool {
            guard let address else { return false }
            if !isKnown || places.schemas.contains(address.base) { return true }
            switch address {
            case .base, .table: return false
            case .view: return table.map { places.tables.contains($0) } ?? false
            case .record:
                return !records.isDisjoint(with: places.records)
                    || table.map { places.whole.contains($0) } ?? false
            }
        }
    }

    private struct State {
        var due = Due()
        var sources: [String: Source]
        /// When the right to listen was last asked for.
        var asked: ContinuousClock.Instant
        /// When what is due last was known to be: a look that began then or later finds all of it.
        var posted: ContinuousClock.Instant
    }

    let lists: Set<OfferList>
    private let state: Mutex<State>
    private let wakeup = Wakeup()

    init(lists: Set<OfferList>, uris: Set<String>, now: ContinuousClock.Instant = .now) {
        self.lists = lists
        let sources = Dictionary(uniqueKeysWithValues: uris.map { ($0, Source($0)) })
        state = Mutex(State(sources: sources, asked: now, posted: now))
    }

    // MARK: Posting

    /// - Parameter time: when the changes had been read.
    func post(_ places: ChangedPlaces, at time: ContinuousClock.Instant = .now) {
        add(at: time) { state in
            var due = Due()
            if lists.contains(.resources), !places.schemas.isEmpty { due.lists.insert(.resources) }
            for (uri, source) in state.sources where source.mayChange(by: places) { due.uris.insert(uri) }
            return due
        }
    }

    /// Anything may have changed.
    func postEverything(at time: ContinuousClock.Instant = .now) {
        add(at: time) { Due(lists: lists, uris: Set($0.sources.keys), rights: true) }
    }

    /// Has the right to listen asked for again, if that was not done since `time`.
    func postRights(since time: ContinuousClock.Instant) {
        add { Due(rights: $0.asked < time) }
    }

    /// Puts back what could not be looked at.
    func post(_ due: Due) { add { _ in due } }

    private func add(at time: ContinuousClock.Instant = .now, _ find: (inout State) -> Due) {
        let isNews = state.withLock { state in
            let due = find(&state)
            if due.isEmpty { return false }
            state.posted = max(state.posted, time)
            state.due.formUnion(due)
            return true
        }
        if isNews { wakeup.notify() }
    }

    // MARK: Looking

    /// Everything that is due, which is due no more. Waits until there is something, or until the task is cancelled, when it is
    /// nothing.
    func wait() async {
        while !Task.isCancelled {
            let generation = wakeup.generation
            if state.withLock({ !$0.due.isEmpty }) { return }
            await wakeup.wait(beyond: generation)
        }
    }

    func take() -> Due {
        state.withLock { state in
            defer { state.due = Due() }
            return state.due
        }
    }

    /// Not before anything that was taken was posted.
    var posted: ContinuousClock.Instant { state.withLock(\.posted) }

    func rightsAsked(at time: ContinuousClock.Instant) { state.withLock { $0.asked = time } }

    /// Has it looked at again when it is made from other things than it was.
    ///
    /// - Parameter origin: nil when there was nothing to read.
    func learn(_ origin: WatchedLook.Origin?, of uri: String) {
        add { $0.sources[uri]?.learn(origin) == true ? Due(uris: [uri]) : Due() }
    }
}
