import App
import ArgumentParser
import Chat
import Domain
import Embeddings
import Foundation
import LLM
import Search

/// `chat`: ask the records, once or in a conversation.
struct ChatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat",
        abstract: "Ask questions; answers come from the records, with citations.",
        discussion: """
            Without --once questions are read line by line; Ctrl-C stops an answer, Ctrl-D ends. Without a key for a \
            language model answers are passages of the records.
            """
    )

    @OptionGroup var shared: SharedOptions

    @Option(help: "Ask this and end.")
    var once: String?

    @Flag(help: "With --once: print one JSON object.")
    var json = false

    @Option(help: "The model, such as gemini-flash-latest, openai/llama3.3 or extractive.")
    var model: String?

    @Option(help: "Ask only this base (name or id); may be repeated.")
    var base: [String] = []

    @Option(help: "Ask only this table (name or id); may be repeated.")
    var table: [String] = []

    func validate() throws {
        if json, once == nil { throw ValidationError("--json goes with --once") }
        if let once, once.allSatisfy(\.isWhitespace) { throw ValidationError("--once needs a question") }
    }

    func run() async throws {
        try await withServices(shared, makesData: false, isQuiet: true) { services, context in
            try await services.check(bases: base, tables: table, context: context)
            let search = try await services.openSearch()
            defer { search.pool.close() }
            let chat = try await services.openChat(search).chat
            try await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask {
                    try await chat.run()
                    return false
                }
                group.addTask {
                    // Beside it, when no other process of this data directory does it.
                    do { try await search.indexer.run() } catch is CancellationError { return false }
                    return false
                }
                group.addTask { try await converse(chat, context) }
                // The others run until they are told to end; then chat ends its runs, and stores that it did.
                let isAnswered = try await group.next() ?? false
                group.cancelAll()
                try await group.waitForAll()
                if !isAnswered { throw ExitCode(1) }
            }
        }
    }

    /// The answer alone on stdout; what there is to say about it beside it.
    private func show(_ answer: ChatAsker.Answer) {
        Console.writeLine(answer.json)
        guard answer.endReason != .complete else { return }
        let message = answer.note ?? "The answer is not whole."
        let report: JSONObject = ["code": .string(answer.endReason.rawValue), "message": .string(message)]
        Console.writeError(JSONValue.object(["error": .object(report)]).text + "\n")
    }

    /// - Returns: whether the question, or the last of them, has an answer.
    private func converse(_ chat: ChatService, _ context: RequestContext) async throws -> Bool {
        let settings = ChatSettings(
            model: model,
            bases: base.isEmpty ? nil : base,
            tables: table.isEmpty ? nil : table
        )
        let conversation = try await chat.createConversation(title: nil, settings: settings, context: context)
        let interrupts = Interrupts()
        defer { interrupts.end() }
        let asker = ChatAsker(chat: chat, conversation: conversation.id, context: context, interrupts: interrupts)
        if let once {
            let answer = try await asker.ask(once, isStreaming: !json)
            if json { show(answer) }
            return answer.run.state == .completed
        }
        let lines = InputLines()
        let isTerminal = isatty(STDIN_FILENO) == 1
        var isAnswered = true
        while true {
            if isTerminal { Console.write("> ") }
            guard let line = await lines.next(orEndedBy: interrupts) else { break }
            if line.allSatisfy(\.isWhitespace) { continue }
            do {
                isAnswered = try await asker.ask(line, isStreaming: true).run.state == .completed
            } catch let error as any Failure where isTerminal {
                Console.writeError("error: \(error.description)\n")
            }
        }
        if isTerminal { Console.write("\n") }
        return isAnswered
    }
}
