import Chat
import Domain
import LLM
import Synchronization

/// One answer at a terminal or in a pipe: its text on stdout as it comes, the steps towards it on stderr.
final class ChatScreen: Sendable {
    private struct State {
        var isAtLineStart = true
        /// A step was told: the empty lines that set off the text after it are not needed.
        var isAfterStep = false
    }

    private let state = Mutex(State())

    func show(_ event: ChatEvent) {
        switch event.kind {
        case .textDelta: write(event.data["text"]?.stringValue ?? "")
        case .textVoided: write("\n(the model began again)\n")
        case .toolStarted where Console.isErrorTerminal:
            tell(event.data["name"]?.stringValue ?? "", event.data["arguments"]?.text ?? "")
        default: break
        }
    }

    /// What is behind the answer, and how it ended when that was not well.
    func showEnd(_ answer: ChatAsker.Answer) {
        endLine()
        for citation in answer.message.citations {
            let quote = citation.quote.split(whereSeparator: \.isNewline).joined(separator: " ")
            Console.writeText("  \(citation.marker) \(citation.recordID) \(citation.fieldID): \(quote)\n")
        }
        if answer.endReason != .complete {
            let why = answer.message(for: ": ") ?? ""
            Console.writeError("(\(answer.endReason.rawValue)\(Console.printable(why)))\n")
        }
    }

    private func write(_ text: String) {
        let text = state.withLock { state in
            let shown = state.isAfterStep ? text.drop(while: \.isNewline) : text[...]
            guard let last = shown.last else { return "" }
            state = State(isAtLineStart: last.isNewline)
            return String(shown)
        }
        Console.writeText(text)
    }

    private func tell(_ name: String, _ arguments: String) {
        endLine()
        let line = "· \(name) \(arguments)"
        let most = 120
        Console.writeError(Console.printable(line.count > most ? "\(line.prefix(most - 1))…" : line) + "\n")
        state.withLock { $0.isAfterStep = true }
    }

    private func endLine() {
        let isOpen = state.withLock { state in
            defer { state.isAtLineStart = true }
            return !state.isAtLineStart
        }
        if isOpen { Console.write("\n") }
    }
}
