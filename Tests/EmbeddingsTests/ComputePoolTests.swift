import TestSupport
import Testing

@testable import Embeddings

/// A gate that work waits at until the test opens it.
private final class Gate: Sendable {
    private let isOpen = Guarded(false)
    func open() { isOpen.value = true }
    /// Blocks the pool's thread, as long work would; at most 20 s.
    func wait() {
        let deadline = ContinuousClock.now + .seconds(20)
        while !isOpen.value, ContinuousClock.now < deadline {}
    }
}

@Suite("Compute pool")
struct ComputePoolTests {
    @Test("gives back what work gives, or throws what it throws")
    func results() async throws {
        let pool = ComputePool(threads: 2)
        #expect(try await pool.run(priority: .bulk) { 6 * 7 } == 42)
        await #expect(throws: EmbeddingsError(.badVector, "")) {
            try await pool.run(priority: .interactive) { throw EmbeddingsError(.badVector, "x") }
        }
        try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<500 { group.addTask { try await pool.run(priority: .bulk) { number } } }
            var sum = 0
            for try await number in group { sum += number }
            #expect(sum == 500 * 499 / 2)
        }
        #expect(pool.load == ComputeLoad(waitingInteractive: 0, waitingBulk: 0, running: 0))
    }

    @Test("takes interactive work first, each in order of arrival")
    func order() async throws {
        let pool = ComputePool(threads: 1)
        let gate = Gate()
        let log = Guarded<[String]>([])
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await pool.run(priority: .bulk) { gate.wait() } }
            try await eventually { pool.load.running == 1 }
            for (count, name) in ["bulk 1", "bulk 2", "bulk 3"].enumerated() {
                group.addTask { try await pool.run(priority: .bulk) { log.update { $0.append(name) } } }
                try await eventually { pool.load.waitingBulk == count + 1 }
            }
            for (count, name) in ["query 1", "query 2"].enumerated() {
                group.addTask { try await pool.run(priority: .interactive) { log.update { $0.append(name) } } }
                try await eventually { pool.load.waitingInteractive == count + 1 }
            }
            gate.open()
            try await group.waitForAll()
        }
        #expect(log.value == ["query 1", "query 2", "bulk 1", "bulk 2", "bulk 3"])
    }

    @Test("long bulk work lets interactive work pass in between")
    func passing() async throws {
        let pool = ComputePool(threads: 1)
        let (first, second) = (Gate(), Gate())
        let log = Guarded<[String]>([])
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await pool.run(priority: .bulk) { turn in
                    first.wait()
                    turn.letInteractivePass()
                    log.update { $0.append("bulk") }
                }
            }
            try await eventually { pool.load.running == 1 }
            group.addTask {
                try await pool.run(priority: .interactive) { turn in
                    // No effect inside interactive work.
                    turn.letInteractivePass()
                    log.update { $0.append("query") }
                    second.open()
                }
            }
            try await eventually { pool.load.waitingInteractive == 1 }
            first.open()
            try await group.waitForAll()
        }
        second.wait()
        #expect(log.value == ["query", "bulk"])
    }

    @Test("cancelling takes waiting work out of the queue")
    func cancellation() async throws {
        let pool = ComputePool(threads: 1)
        let gate = Gate()
        let ran = Guarded(0)
        let blocker = Task { try await pool.run(priority: .bulk) { gate.wait() } }
        try await eventually { pool.load.running == 1 }
        let waiting = (0..<50).map { _ in
            Task { try await pool.run(priority: .bulk) { ran.update { $0 += 1 } } }
        }
        try await eventually { pool.load.waitingBulk == 50 }
        for task in waiting[..<49] { task.cancel() }
        // They end although the only thread is busy.
        for task in waiting[..<49] {
            await #expect(throws: CancellationError.self) { try await task.value }
        }
        #expect(pool.load.waitingBulk == 1)
        gate.open()
        try await blocker.value
        try await waiting[49].value
        #expect(ran.value == 1)

        let cancelled = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await pool.run(priority: .interactive) {}
        }
        await #expect(throws: CancellationError.self) { try await cancelled.value }
    }

    @Test("refuses at its bound and when closed")
    func bounds() async throws {
        let pool = ComputePool(threads: 1, queueLimit: 2)
        let gate = Gate()
        let blocker = Task { try await pool.run(priority: .bulk) { gate.wait() } }
        try await eventually { pool.load.running == 1 }
        let waiting = (0..<2).map { _ in Task { try await pool.run(priority: .bulk) {} } }
        try await eventually { pool.load.waitingBulk == 2 }
        await #expect(throws: EmbeddingsError(.busy, "")) { try await pool.run(priority: .bulk) {} }
        // The other priority has its own places.
        let query = Task { try await pool.run(priority: .interactive) {} }
        try await eventually { pool.load.waitingInteractive == 1 }
        pool.close()
        pool.close()
        for task in waiting + [query] {
            await #expect(throws: EmbeddingsError(.poolClosed, "")) { try await task.value }
        }
        await #expect(throws: EmbeddingsError(.poolClosed, "")) { try await pool.run(priority: .bulk) {} }
        gate.open()
        try await blocker.value
    }

    @Test("survives many callers that come, cancel and go")
    func stress() async throws {
        let pool = ComputePool(threads: 3)
        let ran = Guarded(0)
        let outcomes = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<2_000 {
                group.addTask {
                    let task = Task {
                        try await pool.run(priority: number.isMultiple(of: 3) ? .interactive : .bulk) { turn in
                            turn.letInteractivePass()
                            ran.update { $0 += 1 }
                        }
                    }
                    if number.isMultiple(of: 2) { task.cancel() }
                    do {
                        try await task.value
                        return true
                    } catch {
                        return false
                    }
                }
            }
            var done = 0
            for await isDone in group where isDone { done += 1 }
            return done
        }
        #expect(outcomes == ran.value)
        #expect(outcomes >= 1_000)
        try await eventually { pool.load == ComputeLoad(waitingInteractive: 0, waitingBulk: 0, running: 0) }
    }
}
