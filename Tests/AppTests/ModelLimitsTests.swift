import Domain
import Foundation
import TestSupport
import Testing

/// Who asks Gemini for a model's limits: the server, in its own time, and no command.
@Suite("Limits of models, served")
struct ModelLimitsTests {
    private static let key = "test-key-of-a-scripted-gemini"

    private func log(_ gemini: ClientServer, _ model: String) async throws -> JSONValue {
        let log = try await Binary.run(["-sS", "\(gemini.url)/_log?model=\(model)"], program: ChatServer.curl)
        return try JSONValue(parsing: log.output)
    }

    private static func settings(_ url: String, _ model: String) -> [String: String] {
        ["GEMINI_API_KEY": key, "GEMINI_BASE_URL": url, "PYAIRTABLE_CHAT_MODEL": model]
    }

    @Test("a server learns them once after its start, a question on the command line does without")
    func once() async throws {
        let gemini = try await ClientServer("gemini_server.py")
        try await withChatShop { options, _ in
            let asked = "gemini-3-case-plain_limits-command"
            let question = ["chat", "--once", "What of the kettle?", "--json"] + options
            let answer = try await Binary.run(question, adding: Self.settings(gemini.url, asked))
            #expect(answer.status == 0, "\(answer.errors)")
            let afterCommand = try await log(gemini, asked)
            #expect(afterCommand["requests"] == 1 && afterCommand["lookups"] == 0, "\(afterCommand)")

            let served = "gemini-3-case-plain_limits-server"
            let server = try await ChatServer(options: options, adding: Self.settings(gemini.url, served))
            defer { server.process.kill() }
            try await eventually("the limits are asked for") { try await log(gemini, served)["lookups"] == 1 }
            let first = try await server.ask("What of the kettle?")
            #expect(first.end["type"] == "run.completed")
            let afterServer = try await log(gemini, served)
            #expect(afterServer["lookups"] == 1 && afterServer["requests"] == 1, "\(afterServer)")
            #expect(afterServer["refusals"] == [], "\(afterServer)")
            server.process.terminate()
            #expect(await server.process.result().status == 0)
        }
    }

    @Test("a provider that is away, or hangs, keeps no server from starting, serving and ending well")
    func away() async throws {
        let questions = Guarded(0)
        // Takes the question and never answers it.
        let silent = try RawServer { peer in
            while try peer.request() != nil { questions.update { $0 += 1 } }
        }
        let closed = try RawServer { _ in }
        closed.stop()
        for url in [silent.url, closed.url] {
            try await withChatShop { options, _ in
                let server = try await ChatServer(options: options, adding: Self.settings(url, "gemini-3-flash"))
                defer { server.process.kill() }
                if url == silent.url { try await eventually("it was asked") { questions.value > 0 } }
                #expect(try await server.get("/api/v1/search/status")["tables"]?.arrayValue?.isEmpty == false)
                #expect(server.process.process.isRunning)
                server.process.terminate()
                #expect(await server.process.result().status == 0)
            }
        }
    }
}
