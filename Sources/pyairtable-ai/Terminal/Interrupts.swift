@preconcurrency import Dispatch
import Foundation
import Synchronization

/// Ctrl-C, as often as it is pressed, as something to wait for.
///
/// A dispatch source is thread-safe; it is set in `init` only.
final class Interrupts: @unchecked Sendable {
    private let source: any DispatchSourceSignal
    private let waiting = Mutex<(next: UInt64, continuations: [UInt64: CheckedContinuation<Bool, Never>])>((0, [:]))

    init() {
        signal(SIGINT, SIG_IGN)
        source = DispatchSource.makeSignalSource(signal: SIGINT, queue: DispatchQueue(label: "interrupts"))
        source.setEventHandler { [weak self] in self?.resume(with: true) }
        source.resume()
    }

    /// Ctrl-C ends the program again.
    func end() {
        source.cancel()
        signal(SIGINT, SIG_DFL)
        resume(with: false)
    }

    /// - Returns: true when it was pressed; false when the task is cancelled or this has ended.
    func next() async -> Bool {
        let id = waiting.withLock { state in
            state.next += 1
            return state.next
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = waiting.withLock { state in
                    if Task.isCancelled || source.isCancelled { return true }
                    state.continuations[id] = continuation
                    return false
                }
                if isOver { continuation.resume(returning: false) }
            }
        } onCancel: {
            waiting.withLock { $0.continuations.removeValue(forKey: id) }?.resume(returning: false)
        }
    }

    private func resume(with value: Bool) {
        let all = waiting.withLock { state in
            defer { state.continuations = [:] }
            return Array(state.continuations.values)
        }
        for continuation in all { continuation.resume(returning: value) }
    }
}

/// Lines of standard input, read on a thread of their own: a read that waits must not hold one of the pool's.
///
/// A read that was given up for an interrupt goes on waiting until the program ends, which is what follows.
final class InputLines: Sendable {
    private let queue = DispatchQueue(label: "input")
    private let pending = Mutex<CheckedContinuation<String?, Never>?>(nil)

    /// The next line without its end; nil at the end of input, or when an interrupt comes first.
    func next(orEndedBy interrupts: Interrupts) async -> String? {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [self] in if await interrupts.next() { resume(with: nil) } }
            let line = await withCheckedContinuation { continuation in
                pending.withLock { $0 = continuation }
                queue.async { [self] in resume(with: readLine(strippingNewline: true)) }
            }
            group.cancelAll()
            return line
        }
    }

    private func resume(with line: String?) {
        pending.withLock { pending in
            defer { pending = nil }
            return pending
        }?.resume(returning: line)
    }
}
