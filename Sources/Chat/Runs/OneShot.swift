import Domain
import Synchronization

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
