import Chat
import Domain
import Foundation
import Hummingbird
import HummingbirdTesting
import TestSupport
import Testing

@testable import Gateway

/// The package most Python programs open WebSockets with, unmodified.
@Suite("Chat's WebSocket by the Python package websockets")
struct SocketPythonTests {
    @Test("asks, is cut off after every event, comes back, cancels, and is refused properly")
    func websockets() async throws {
        try await withGateway { fixture in
            let run = try await fixture.answeredRun()
            fixture.chat.onSend { run, chat in
                chat.playAnswer(to: run, deltas: ScriptedChat.difficultText(30))
            }
            try await fixture.server().publicApplication.test(.live) { client in
                let port = try #require(client.port)
                let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                    .deletingLastPathComponent()
                let (status, output) = try await Self.python(
                    root,
                    [
                        root.appendingPathComponent("Tests/Clients/chat_socket.py").path,
                        "ws://127.0.0.1:\(port)\(SocketHandshake.path)", fixture.key, run.conversation.description,
                        "37",
                    ]
                )
                #expect(status == 0, "\(output)")
                #expect(output.contains(#""resumed": 37"#), "\(output)")
            }
        }
    }

    /// Runs a script to its end, at most for two minutes; gives what it wrote to both outputs.
    private static func python(_ root: URL, _ arguments: [String]) async throws -> (status: Int32, output: String) {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("python-\(UUID().uuidString)")
        try Data().write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let handle = try FileHandle(forWritingTo: file)
        let process = Process()
        process.executableURL = root.appendingPathComponent(".venv/bin/python")
        process.arguments = arguments
        process.standardOutput = handle
        process.standardError = handle
        process.standardInput = FileHandle.nullDevice
        let (exits, continuation) = AsyncStream.makeStream(of: Int32.self)
        process.terminationHandler = { process in
            continuation.yield(process.terminationStatus)
            continuation.finish()
        }
        try process.run()
        let watchdog = Task {
            try await Task.sleep(for: .seconds(120))
            process.terminate()
        }
        defer { watchdog.cancel() }
        let status = await exits.first { _ in true } ?? -1
        return (status, try String(contentsOf: file, encoding: .utf8))
    }
}
