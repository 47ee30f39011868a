import CoreMetrics
import Domain
import Synchronization

/// Lets so many requests be worked on at once, some more wait for their turn, and sends the rest away before any work
/// was done for them.
///
/// Bodies are read and streams are sent outside of it: a client that is slow holds no place.
final class WorkGate: Sendable {
    private struct Waiter {
        let number: Int
        let since: ContinuousClock.Instant
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var running = 0
        var waiting: [Waiter] = []
        /// Of the first that still waits.
        var first = 0
        var numbers = 0
        var waitingCount: Int { waiting.count - first }
    }

    private let state = Mutex(State())
    private let places: Int
    private let queue: Int
    private let patience: Duration
    private let waits: CoreMetrics.Timer
    private let shedFull: Counter
    private let shedLate: Counter

    /// - Parameters:
    ///   - places: requests worked on at once.
    ///   - queue: requests that may wait.
    ///   - patience: how long one may wait.
    ///   - name: a label of its metrics.
    init(places: Int, queue: Int, patience: Duration, registry: PrometheusRegistry, name: String) {
        self.places = places
        self.queue = queue
        self.patience = patience
        let label = [("gate", name)]
        waits = CoreMetrics.Timer(label: "pyairtable_http_queue_seconds", dimensions: label, factory: registry)
        let shed = { (reason: String) in
            Counter(
                label: "pyairtable_http_shed_total",
                dimensions: label + [("reason", reason)],
                factory: registry
            )
        }
        shedFull = shed("queueFull")
        shedLate = shed("waitedTooLong")
        registry.describe(
            "pyairtable_http_queue_seconds",
            "How long requests waited for their turn, of those that had to."
        )
        registry.describe("pyairtable_http_shed_total", "Requests sent away because there was too much work.")
        registry.addGauge("pyairtable_http_working", "Requests being worked on.", labels: label) { [weak self] in
            Double(self?.state.withLock { $0.running } ?? 0)
        }
        registry.addGauge("pyairtable_http_queued", "Requests waiting for their turn.", labels: label) { [weak self] in
            Double(self?.state.withLock { $0.waitingCount } ?? 0)
        }
    }

    var load: (running: Int, waiting: Int) { state.withLock { ($0.running, $0.waitingCount) } }

    /// Refuses early what would be refused later.
    ///
    /// - Throws: `overloaded` when nobody else may wait.
    func checkRoom() throws(GatewayError) {
        guard state.withLock({ $0.running >= places && $0.waitingCount >= queue }) else { return }
        shedFull.increment()
        throw Self.overloaded
    }

    /// - Throws: `overloaded`; what `work` throws.
    func run<T: Sendable>(_ work: () async throws -> T) async throws -> T {
        try await enter()
        defer { leave() }
        return try await work()
    }

    private enum Entry { case admitted, full, waits }

    private func enter() async throws(GatewayError) {
        let isAdmitted = state.withLock { state in
            guard state.running < places else { return false }
            state.running += 1
            return true
        }
        if isAdmitted { return }
        let began = ContinuousClock.now
        let number = state.withLock { state in
            state.numbers += 1
            return state.numbers
        }
        let got = await withTaskCancellationHandler {
            await wait(number, since: began)
        } onCancel: {
            giveUp(number)
        }
        guard got else { throw Self.overloaded }
        let (seconds, attoseconds) = (ContinuousClock.now - began).components
        waits.recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }

    /// - Returns: whether there is a place now.
    private func wait(_ number: Int, since began: ContinuousClock.Instant) async -> Bool {
        await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
            let (entry, late) = state.withLock { state -> (Entry, [Waiter]) in
                if state.running < places {
                    state.running += 1
                    return (.admitted, [])
                }
                let late = Self.takeLate(&state, patience)
                guard state.waitingCount < queue else { return (.full, late) }
                state.waiting.append(Waiter(number: number, since: began, continuation: continuation))
                return (.waits, late)
            }
            sendAway(late)
            if entry == .admitted { continuation.resume(returning: true) }
            if entry == .full {
                shedFull.increment()
                continuation.resume(returning: false)
            }
            // Cancelled before it stood in the queue: nobody else would call it out.
            if entry == .waits, Task.isCancelled { giveUp(number) }
        }
    }

    /// Whose client is gone, or whose time is over, need not wait any longer.
    private func giveUp(_ number: Int) {
        let waiter = state.withLock { state -> Waiter? in
            guard let place = state.waiting[state.first...].firstIndex(where: { $0.number == number }) else {
                return nil
            }
            return state.waiting.remove(at: place)
        }
        waiter?.continuation.resume(returning: false)
    }

    private func leave() {
        let (next, late) = state.withLock { state -> (Waiter?, [Waiter]) in
            let late = Self.takeLate(&state, patience)
            guard state.waitingCount > 0 else {
                state.running -= 1
                return (nil, late)
            }
            // The place goes on to them.
            return (Self.takeFirst(&state), late)
        }
        sendAway(late)
        next?.continuation.resume(returning: true)
    }

    private func sendAway(_ waiters: [Waiter]) {
        for waiter in waiters {
            shedLate.increment()
            waiter.continuation.resume(returning: false)
        }
    }

    private static func takeFirst(_ state: inout State) -> Waiter {
        let waiter = state.waiting[state.first]
        state.first += 1
        if state.first * 2 >= state.waiting.count {
            state.waiting.removeFirst(state.first)
            state.first = 0
        }
        return waiter
    }

    /// Those whose client has lost patience by now; the oldest stand first.
    private static func takeLate(_ state: inout State, _ patience: Duration) -> [Waiter] {
        guard state.waitingCount > 0 else { return [] }
        let latest = ContinuousClock.now - patience
        var late: [Waiter] = []
        while state.waitingCount > 0, state.waiting[state.first].since < latest { late.append(takeFirst(&state)) }
        return late
    }

    private static let overloaded = GatewayError(
        .overloaded,
        "The server has more to do than it can.",
        retryAfterSeconds: 1
    )
}
