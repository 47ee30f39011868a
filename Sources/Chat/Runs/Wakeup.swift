import Synchronization

/// Wakes those who wait for something to happen in this process.
///
/// A generation counts the wake-ups, so that one between looking and waiting is not missed.
final class Wakeup: Sendable {
    private struct State {
        var generation: UInt64 = 0
        var nextWaiter: UInt64 = 0
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    var generation: UInt64 { state.withLock { $0.generation } }

    func notify() {
        let waiters = state.withLock { state in
            state.generation += 1
            defer { state.waiters.removeAll(keepingCapacity: true) }
            return state.waiters
        }
        for waiter in waiters.values { waiter.resume() }
    }

    /// Returns when the generation is no longer `generation`, or when the task is cancelled.
    func wait(beyond generation: UInt64) async {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.generation != generation || Task.isCancelled { return true }
                    state.waiters[id] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
            waiter?.resume()
        }
    }
}

/// Something that is said once, such as "cancel this run".
final class OneShot: Sendable {
    private let isSet = Mutex(false)
    private let wakeup = Wakeup()

    var isSignalled: Bool { isSet.withLock { $0 } }

    func signal() {
        isSet.withLock { $0 = true }
        wakeup.notify()
    }

    /// Returns when it has been said, or when the task is cancelled.
    func wait() async {
        while !Task.isCancelled {
            let generation = wakeup.generation
            if isSignalled { return }
            await wakeup.wait(beyond: generation)
        }
    }
}
