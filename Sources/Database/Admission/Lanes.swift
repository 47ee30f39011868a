import Dispatch
import Synchronization

/// Serial queues, each for one call at a time.
///
/// Not one concurrent queue: on Linux its threads are those of Swift's own tasks, few and easily all taken by
/// statements that run long. A serial queue gets a thread of its own when it needs one.
final class Lanes: Sendable {
    private let idle: Mutex<[DispatchQueue]>

    init(count: Int) {
        idle = Mutex((0..<count).map { DispatchQueue(label: "database.read.\($0)") })
    }

    /// The queue used last, whose thread is probably still warm. The caller holds a permit, so one is there.
    func take() -> DispatchQueue {
        idle.withLock { $0.popLast() } ?? DispatchQueue(label: "database.read")
    }

    func giveBack(_ queue: DispatchQueue) { idle.withLock { $0.append(queue) } }

    /// Runs blocking `work` on a thread that isn't one of Swift's tasks'.
    static func run<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue(label: "database.once").async { continuation.resume(with: Result { try work() }) }
        }
    }
}
