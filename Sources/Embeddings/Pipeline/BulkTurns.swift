import Synchronization

/// Lets some pieces of bulk work at a time be encoded and kept, and no text twice at once.
///
/// What is under way here is what a sudden end of the process costs: texts that the model has read, or is reading, and
/// whose vectors are not in the cache yet. So a place is held until the vectors are kept. First come, first served, but
/// that a piece with a text that is under way lets others pass until that text is known.
final class BulkTurns: Sendable {
    /// What comes to its end from `watch` to `endWatch`: begun before the cache is looked at, it tells what may be there
    /// by now and was not then.
    struct Watch: Sendable { fileprivate let number: Int }

    /// A place, until `leave`.
    struct Turn: Sendable {
        fileprivate let number: Int
        /// A piece with one of these texts came to its end since the watch began.
        let mayBeKnown: Bool
    }

    private struct Waiting {
        let number: Int
        let hashes: Set<[UInt8]>
        let watch: Watch
        let continuation: CheckedContinuation<Turn, Never>
    }

    private struct State {
        var underWay: [Int: Set<[UInt8]>] = [:]
        var waiting: [Waiting] = []
        /// What has left since each watch began.
        var watches: [Int: Set<[UInt8]>] = [:]
        var numbers = 0

        mutating func nextNumber() -> Int {
            numbers += 1
            return numbers
        }

        /// The place, unless there is none or one of the texts is under way.
        mutating func begin(_ number: Int, _ hashes: Set<[UInt8]>, _ watch: Watch, atOnce: Int) -> Turn? {
            guard underWay.count < atOnce, underWay.values.allSatisfy({ $0.isDisjoint(with: hashes) }) else {
                return nil
            }
            underWay[number] = hashes
            return Turn(number: number, mayBeKnown: !(watches[watch.number]?.isDisjoint(with: hashes) ?? true))
        }
    }

    private let atOnce: Int
    private let state = Mutex(State())

    init(atOnce: Int) { self.atOnce = max(1, atOnce) }

    func watch() -> Watch {
        state.withLock { state in
            let number = state.nextNumber()
            state.watches[number] = []
            return Watch(number: number)
        }
    }

    func endWatch(_ watch: Watch) { state.withLock { $0.watches[watch.number] = nil } }

    /// Waits for a place. The wait is not ended by cancellation: it is as long as some calls of the model, which end
    /// when their own tasks are cancelled.
    func enter(_ hashes: Set<[UInt8]>, _ watch: Watch) async -> Turn {
        await withCheckedContinuation { continuation in
            let turn = state.withLock { state -> Turn? in
                let number = state.nextNumber()
                if let turn = state.begin(number, hashes, watch, atOnce: atOnce) { return turn }
                state.waiting.append(
                    Waiting(number: number, hashes: hashes, watch: watch, continuation: continuation)
                )
                return nil
            }
            if let turn { continuation.resume(returning: turn) }
        }
    }

    func leave(_ turn: Turn) {
        let started = state.withLock { state -> [(Waiting, Turn)] in
            guard let left = state.underWay.removeValue(forKey: turn.number) else { return [] }
            for number in state.watches.keys { state.watches[number]?.formUnion(left) }
            var started: [(Waiting, Turn)] = []
            var position = 0
            while position < state.waiting.count, state.underWay.count < atOnce {
                let next = state.waiting[position]
                if let turn = state.begin(next.number, next.hashes, next.watch, atOnce: atOnce) {
                    state.waiting.remove(at: position)
                    started.append((next, turn))
                } else {
                    position += 1
                }
            }
            return started
        }
        for (next, turn) in started { next.continuation.resume(returning: turn) }
    }
}
