import Domain
import Foundation
import Logging
import MCP

/// A dialogue as a text file, played against the pure session.
///
/// - `→ line` comes in, byte for byte; `← json` goes out.
/// - `* finish` lets the oldest waiting call of `slow` finish, `* expire` lets its deadline pass, `* stop` stops
///   the session. `· cancelled` tells that work was cancelled.
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
        var player = Player()
        var output: [String] = []
        for line in lines where !line.hasPrefix("← ") && !line.hasPrefix("· ") {
            output.append(String(line))
            output += player.play(line)
        }
        return output.joined(separator: "\n")
    }

    static var configuration: ServerSession.Configuration {
        ServerSession.Configuration(info: fakeInfo, requestsInFlightMax: 4, batchMessagesMax: 6, toolsPageSize: 4)
    }

    private struct Player {
        var session = ServerSession(Transcript.configuration)
        var waiting: [(id: WorkID, call: ToolCall)] = []

        mutating func play(_ line: Substring) -> [String] {
            if line.hasPrefix("→ ") {
                guard let inbound = MessageDecoder.decode(Array(line.dropFirst(2).utf8)) else { return [] }
                return handle(.received(inbound))
            }
            switch line {
            case "* finish":
                let (id, call) = waiting.removeFirst()
                return handle(.finished(id, outcome(of: .callTool(call))))
            case "* expire":
                return handle(.expired(waiting[0].id))
            case "* stop":
                return handle(.stopping)
            default:
                return []
            }
        }

        private mutating func handle(_ event: SessionEvent) -> [String] {
            var output: [String] = []
            for action in session.handle(event) {
                switch action {
                case .send(let message, _):
                    output.append("← " + message.json.text)
                case .start(let id, .callTool(let call)) where call.name == "slow":
                    waiting.append((id, call))
                case .start(let id, let work):
                    output += handle(.finished(id, outcome(of: work)))
                case .settle:
                    break
                case .cancel(let id):
                    waiting.removeAll { $0.id == id }
                    output.append("· cancelled")
                }
            }
            return output
        }

        private func outcome(of work: Work) -> WorkOutcome {
            switch work {
            case .listTools:
                return .tools(FakeTools.definitions)
            case .callTool(let call):
                do {
                    return .called(try FakeTools.result(of: call))
                } catch {
                    return FailureTranslation.outcome(ofCall: call, error, logger: quietLogger)
                }
            }
        }
    }
}

/// Drops everything.
let quietLogger = Logger(label: "quiet", factory: { _ in SwiftLogNoOpLogHandler() })
