import Synchronization

/// Calls back when times have come, at most a tick late: one timer for all requests, where one for each would wake a thread
/// of its own twice a request.
package final class DeadlineClock: Sendable {
    package static let shared = DeadlineClock()
    package static let tick = Duration.milliseconds(10)

    private struct State {
        var alarms: [UInt64: (time: ContinuousClock.Instant, act: @Sendable () -> Void)] = [:]
        var number: UInt64 = 0
        /// No alarm is earlier.
        var earliest: ContinuousClock.Instant?
        var isTicking = false

        /// What is due, and whether anything is left to wait for.
        mutating func takeDue(at now: ContinuousClock.Instant) -> ([@Sendable () -> Void], Bool) {
            guard !alarms.isEmpty else {
                (earliest, isTicking) = (nil, false)
                return ([], false)
            }
            guard let time = earliest, time <= now else { return ([], true) }
            let due = alarms.filter { $0.value.time <= now }
            for number in due.keys { alarms[number] = nil }
            earliest = alarms.values.map(\.time).min()
            return (due.values.map(\.act), true)
        }
    }

    private let state = Mutex(State())

    package init() {}

    /// - Parameter act: called once, from anywhere, unless the alarm is removed before. Must be quick.
    /// - Returns: its number.
    package func add(_ time: ContinuousClock.Instant, _ act: @escaping @Sendable () -> Void) -> UInt64 {
        let (number, starts) = state.withLock { state in
            state.number += 1
            state.alarms[state.number] = (time, act)
            state.earliest = min(state.earliest ?? time, time)
            defer { state.isTicking = true }
            return (state.number, !state.isTicking)
        }
        // Unstructured, because it serves all requests; it ends by itself when there is nothing to wait for.
        if starts { Task { await self.run() } }
        return number
    }

    package func remove(_ number: UInt64) { state.withLock { $0.alarms[number] = nil } }

    package var isTicking: Bool { state.withLock { $0.isTicking } }

    private func run() async {
        var isWanted = true
        while isWanted {
            // Nobody cancels it.
            try? await Task.sleep(for: Self.tick)
            let (due, goesOn) = state.withLock { $0.takeDue(at: .now) }
            for act in due { act() }
            isWanted = goesOn
        }
    }
}
