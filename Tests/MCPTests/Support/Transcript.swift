import Domain
import Foundation
import Logging
import MCP

/// A dialogue as a text file, played against the pure session.
///
/// - `→ line` comes in, byte for byte; `← json` goes out.
/// - A file that begins with `# Offers everything.` is played against a server with resources, prompts and a watcher.
/// - `* finish` lets the oldest waiting call of `slow` finish, `* expire` lets its deadline pass, `* stop` stops
///   the session. `* progress 1 2 half`, `* log warning text`, `* ask KEY…` and `* release` are what the oldest waiting call
///   says, `* unanswered` ends its patience; `* change tools` and `* change fake://a` happen beside, `* listening` follows a
///   subscription, `* tell tools` tells it. `* gone` is a client that left.
/// - `· …` tells what the driver is to do: cancel, hand an answer to the work, watch, let go.
/// - Everything else is a comment.
///
/// With `PYAIRTABLE_REWRITE=1` in the environment the tests write what they heard into the files; commit that
/// only when every line can be explained.
struct Transcript: Sendable, CustomStringConvertible {
    let url: URL
    let text: String

    static let directory = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Transcripts")

    static let rewrites = ProcessInfo.processInfo.environment["PYAIRTABLE_REWRITE"] == "1"

    /// All files of the directory; an empty result fails the test that counts them.
    static let all: [Transcript] = {
        let files = (try? FileManager.default.contentsOfDirectory(at: directory, includingPropertiesForKeys: nil)) ?? []
        return files.filter { $0.pathExtension == "txt" }.sorted { $0.path < $1.path }.compactMap { url in
            (try? String(contentsOf: url, encoding: .utf8)).map { Transcript(url: url, text: $0) }
        }
    }()

    var description: String { url.lastPathComponent }
    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
    /// Whether a real connection can play it, which has no hand on when work ends.
    var hasDirectives: Bool { lines.contains { $0.hasPrefix("* ") } }

    /// What the session really answers, in the file's form.
    func played() -> String {
        var player = Player(session: ServerSession(Self.configuration.offering(offer)))
        var output: [String] = []
        for line in lines where !line.hasPrefix("← ") && !line.hasPrefix("· ") {
            output.append(String(line))
            output += player.play(line)
        }
        return output.joined(separator: "\n")
    }

    /// Whether its server offers more than tools.
    var offersEverything: Bool { lines.first == "# Offers everything." }

    var offer: MCPOffer { offersEverything ? .everything() : .tools() }

    static var configuration: ServerSession.Configuration {
        ServerSession.Configuration(
            info: fakeInfo,
            requestsInFlightMax: 4,
            batchMessagesMax: 6,
            toolsPageSize: 4,
            listPageSize: 2
        )
    }

    private struct Player {
        var session: ServerSession
        var waiting: [(id: WorkID, work: Work)] = []
        var asks = 0

        mutating func play(_ line: Substring) -> [String] {
            if line.hasPrefix("→ ") {
                guard let inbound = MessageDecoder.decode(Array(line.dropFirst(2).utf8)) else { return [] }
                return handle(.received(inbound))
            }
            guard line.hasPrefix("* ") else { return [] }
            let words = line.dropFirst(2).split(separator: " ").map(String.init)
            return direct(words[0], Array(words.dropFirst()))
        }

        private mutating func direct(_ directive: String, _ words: [String]) -> [String] {
            switch directive {
            case "finish":
                let (id, work) = waiting.removeFirst()
                return handle(.finished(id, Transcript.outcome(of: work)))
            case "expire": return handle(.expired(waiting[0].id))
            case "stop": return handle(.stopping)
            case "gone": return handle(.abandoned(.only))
            case "unanswered": return handle(.unanswered(waiting[0].id))
            case "change": return handle(.changed(change(words[0])))
            default: return handle(.emitted(speaker, emission(directive, words)))
            }
        }

        /// The oldest work that waits; when there is none, one that is over.
        private var speaker: WorkID { waiting.first?.id ?? WorkID(number: 1) }

        private mutating func emission(_ directive: String, _ words: [String]) -> WorkEmission {
            switch directive {
            case "progress":
                return .progress(
                    ToolProgress(
                        done: Double(words[0]) ?? 0,
                        total: words.count > 1 ? Double(words[1]) : nil,
                        message: words.count > 2 ? words[2] : nil
                    )
                )
            case "log":
                return .log(CallerLogLevel(rawValue: words[0]) ?? .debug, logger: "fake", data: .string(words[1]))
            case "ask":
                asks += 1
                return .asked(number: asks, words.map { Transcript.question($0) })
            case "listening":
                guard case .listen(let interest) = waiting[0].work else { preconditionFailure("nobody listens") }
                return .listening(interest)
            case "tell": return .changed(change(words[0]))
            case "release": return .released
            default: preconditionFailure("there is no directive \(directive)")
            }
        }

        private func change(_ word: String) -> OfferChange {
            switch word {
            case "tools": .tools
            case "prompts": .prompts
            case "resources": .resources
            default: .resource(uri: word)
            }
        }

        private mutating func handle(_ event: SessionEvent) -> [String] {
            var output: [String] = []
            for action in session.handle(event).flatMap(\.atOnce) {
                switch action {
                case .send(let message, .exchange):
                    output.append("← " + message.json.text)
                case .send(let message, .unsolicited):
                    output.append("← " + message.json.text)
                case .start(let id, let assignment):
                    switch assignment.work {
                    case .callTool(let call) where call.name == "slow": waiting.append((id, assignment.work))
                    case .listen: waiting.append((id, assignment.work))
                    default: output += handle(.finished(id, Transcript.outcome(of: assignment.work)))
                    }
                case .settle:
                    break
                case .cancel(let id):
                    waiting.removeAll { $0.id == id }
                    output.append("· cancelled")
                case .answer(_, let number, let outcome):
                    output.append("· answer \(number): \(Self.text(of: outcome))")
                case .watch(let interest):
                    output.append("· watch \(interest.uris.sorted())")
                case .release, .whenWatching:
                    output.append("· released")
                }
            }
            return output
        }

        private static func text(of outcome: AskOutcome) -> String {
            switch outcome {
            case .success(let answers):
                answers.sorted { $0.key < $1.key }.map { "\($0.key) \(FakeTools.text(of: $0.value))" }.joined(
                    separator: ", "
                )
            case .failure(let error): error.message
            }
        }
    }
}

/// What work comes to when it is done at once.
extension Transcript {
    static func question(_ key: String) -> CallerQuestion {
        switch key {
        case "roots": CallerQuestion(key, .roots)
        case "sample": CallerQuestion(key, .sampling(["messages": [], "maxTokens": 9]))
        default:
            CallerQuestion(
                key,
                .form(
                    message: "Really?",
                    schema: .object(properties: ["yes": .boolean(description: "Yes.")], required: ["yes"])
                )
            )
        }
    }

    static func outcome(of work: Work) -> WorkOutcome {
        do { return try done(work) } catch {
            return FailureTranslation.outcome(of: work, error, logger: quietLogger)
        }
    }

    private static func done(_ work: Work) throws -> WorkOutcome {
        switch work {
        case .listTools: .tools(FakeTools.definitions)
        case .callTool(let call): .called(try FakeTools.result(of: call))
        case .listResources: .resources(FakeResources.links)
        case .listTemplates: .templates(FakeResources.templates)
        case .readResource(let uri): .contents(try FakeResources.contents(uri))
        case .listPrompts: .prompts(FakePrompts.prompts)
        case .getPrompt(let name, let arguments): try messages(name, arguments)
        case .complete(let question, .prompt(let name)): .completed(try FakePrompts.completion(question, name))
        case .complete(let question, .resource(let uri)): .completed(try FakeResources.completion(question, uri))
        case .subscribe(let uri): try subscribed(uri)
        case .listen: .listened
        }
    }

    private static func messages(_ name: String, _ arguments: [String: String]) throws -> WorkOutcome {
        guard FakePrompts.prompts.contains(where: { $0.name == name }) else { throw PromptError.unknownPrompt(name) }
        return .messages(FakePrompts.messages(name, arguments))
    }

    private static func subscribed(_ uri: String) throws -> WorkOutcome {
        _ = try FakeResources.contents(uri)
        return .subscribed
    }
}

/// Drops everything.
let quietLogger = Logger(label: "quiet", factory: { _ in SwiftLogNoOpLogHandler() })

extension SessionAction {
    /// Itself, or what it has done later: here what is watched is followed at once.
    var atOnce: [SessionAction] { if case .whenWatching(let later) = self { later } else { [self] } }
}
