import Chat
import Domain
import Foundation
import Hummingbird
import HummingbirdTesting
import TestSupport
import Testing

@testable import Gateway

@Suite("Chat in the page")
struct ChatPageTests {
    @Test(
        "LLM-06, LLM-07, LLM-09: asks, streams, survives a reload, opens a citation and stops, in headless Chromium"
    )
    func page() async throws {
        try await withGateway { fixture in
            let state = try #require(fixture.elements.fields.first { $0.name == "State" })
            let chat = PacedChat(
                citing: Citation(
                    marker: "[1]",
                    baseID: fixture.base.id,
                    tableID: fixture.elements.id,
                    recordID: fixture.records[0].id,
                    fieldID: state.id,
                    quote: "Gas"
                ),
                pace: .milliseconds(25)
            ) { question in question.hasPrefix("Slowly") ? Self.long : Self.short }
            let server = GatewayServer.make(
                configuration: GatewayConfiguration(address: .init(host: "127.0.0.1", port: 0), adminAddress: nil),
                services: GatewayServices(
                    access: fixture.access,
                    airtable: fixture.airtable,
                    search: FixedSearch(),
                    chat: chat,
                    mcp: fixture.mcp,
                    readiness: []
                ),
                metrics: fixture.metrics,
                logger: fixture.log.logger()
            )
            try await server.publicApplication.test(.live) { client in
                let result = try await ClientScript.run(
                    "chat_page.py",
                    [
                        "http://127.0.0.1:\(try #require(client.port))", fixture.key, "Which gas is lighter than air?",
                        "Helium", "Slowly: tell me all about helium",
                    ]
                )
                #expect(result.status == 0, "\(result.output)")
                #expect(result.output.contains(#""event": "done""#))
            }
        }
    }

    private static let short = ["**Helium** is ", "lighter ", "than air [1]."]

    /// Some seconds' worth of every kind of text, in pieces that are cut anywhere.
    private static let long = {
        let text = String(
            repeating: """
                **Helium** is a gas [1], *lighter* than `air`.\u{2028} Grüße, 漢字 🎈 <b>not bold</b> [9]

                - it is inert
                - it burns **nothing**
                  - not even [here](javascript:alert(1))
                  - ![x](http://127.0.0.1:9/steal?d=1) [go](https://evil.example/?q=1) <https://evil.example/>
                  - \u{202E}gpj\u{202C}\u{E0041}\u{200B}

                | Gas | kg <img src=x onerror=alert(1)> |
                |---|--:|
                | Air \\| sky | 1.2 |

                الهيليوم أخف من الهواء.

                1. Air: 1.2 kg
                2. Helium: 0.17 kg

                ```
                lift = 1.2 - 0.17
                ```


                """,
            count: 5
        )
        var pieces: [String] = []
        var rest = text[...]
        while !rest.isEmpty {
            pieces.append(String(rest.prefix(7)))
            rest = rest.dropFirst(7)
        }
        return pieces
    }()
}

/// A Python program of `Tests/Clients`, run to its end, at most for three minutes.
enum ClientScript {
    static func run(
        _ name: String,
        _ arguments: [String],
        timeout: Double = 180
    ) async throws -> (status: Int32, output: String) {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("client-\(UUID().uuidString)")
        try Data().write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let handle = try FileHandle(forWritingTo: file)
        let process = Process()
        process.executableURL = root.appendingPathComponent(".venv/bin/python")
        process.arguments = [root.appendingPathComponent("Tests/Clients/\(name)").path] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(["PYTHONDONTWRITEBYTECODE": "1"]) { $1 }
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
            try await Task.sleep(for: .seconds(timeout))
            process.terminate()
        }
        defer { watchdog.cancel() }
        let status = await exits.first { _ in true } ?? -1
        return (status, try String(contentsOf: file, encoding: .utf8))
    }
}
