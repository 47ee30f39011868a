import Domain
import Foundation
import Synchronization

/// A line on stderr that tells how far a long command is. Silent unless stderr is a terminal.
final class ProgressBar: Sendable {
    private struct State {
        var label = ""
        var shown = ContinuousClock.Instant.now
        var started = ContinuousClock.Instant.now
        var isShown = false
    }

    private let isEnabled: Bool
    private let state = Mutex(State())

    init(isEnabled: Bool = Console.isErrorTerminal) { self.isEnabled = isEnabled }

    /// Shows `done` of `total`; more often than ten times a second it does nothing.
    func show(_ label: String, done: Int64, total: Int64, unit: String = "") {
        guard isEnabled else { return }
        state.withLock { state in
            let now = ContinuousClock.Instant.now
            if state.label != label {
                state = State(label: label, shown: now, started: now, isShown: state.isShown)
            } else if now - state.shown < .milliseconds(100), done < total {
                return
            }
            state.shown = now
            state.isShown = true
            let share = total > 0 ? min(1, Double(done) / Double(total)) : 0
            let filled = Int(share * 30)
            let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 30 - filled)
            let percent = Int(share * 100)
            let rest = remaining(since: now - state.started, share: share)
            Console.writeError("\r\u{1B}[K\(label) \(bar) \(percent)% \(done)/\(total)\(unit)\(rest)")
        }
    }

    /// Clears the line, so that what follows starts at its beginning.
    func finish() {
        guard isEnabled else { return }
        state.withLock { state in
            if state.isShown { Console.writeError("\r\u{1B}[K") }
            state = State()
        }
    }

    private func remaining(since elapsed: Duration, share: Double) -> String {
        guard share > 0.02, elapsed > .seconds(2) else { return "" }
        let seconds = Int(Double(elapsed.components.seconds) * (1 - share) / share)
        return seconds < 60 ? "  \(seconds) s left" : "  \(seconds / 60) min left"
    }
}
