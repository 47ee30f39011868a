import Domain
import Foundation
import HummingbirdTesting
import LLM
import TestSupport
import Testing

@testable import Gateway

@Suite("OpenAI's dialect, by OpenAI's own client")
struct OpenAIClientTests {
    /// What the client program expects of the model.
    private static let model = TestModel { request, onDelta in
        func reply(_ parts: [ModelPart], _ outcome: ModelOutcome) -> ModelReply {
            ModelReply(message: ModelMessage(.model, parts), outcome: outcome, usage: TokenUsage(input: 9, output: 3))
        }
        if request.messages.last?.role == .tool {
            try await onDelta(.text("done"))
            return reply([.text("done")], .complete)
        }
        if request.messages.last?.text == "fail" { throw ModelError(.cut, "cut") }
        guard request.tools.isEmpty else {
            let calls = ["Oslo", "Rome"].enumerated().map { number, city in
                ModelPart.toolCall(ModelToolCall(id: "\(number)", name: "weather", arguments: ["city": .string(city)]))
            }
            return reply(calls, .toolCalls)
        }
        let pieces = ["Hello", ", wörld", " \u{1F30D}"]
        for piece in pieces { try await onDelta(.text(piece)) }
        return reply([.text(pieces.joined())], .complete)
    }

    @Test("models, answers, streams, tools, vectors and refusals, over a real socket")
    func officialClient() async throws {
        try await withGateway { fixture in
            let models = TestModels(model: Self.model) { texts in
                ServedVectors(vectors: texts.map { [Float($0.utf8.count), 0.1, -1e-8] }, tokens: 5)
            }
            try await fixture.openAI(models).test(.live) { client in
                let port = try #require(client.port)
                let result = try await run([
                    repositoryRoot.appendingPathComponent("Tests/Clients/openai_client.py").path,
                    "http://127.0.0.1:\(port)/v1", fixture.key, "test/parrot", "local/test",
                ])
                #expect(result.status == 0, "\(result.errors)")
                #expect(result.output.contains(#""event": "done""#))
            }
        }
    }

    /// Runs the test environment's Python; it is ended after two minutes.
    private func run(_ arguments: [String]) async throws -> (status: Int32, output: String, errors: String) {
        let process = Process()
        process.executableURL = repositoryRoot.appendingPathComponent(".venv/bin/python")
        process.arguments = arguments
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        let status = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { continuation.resume(throwing: error) }
            DispatchQueue.global().asyncAfter(deadline: .now() + 120) { if process.isRunning { process.terminate() } }
        }
        // Both are short: they fit into the pipes.
        return (
            status, String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self),
            String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        )
    }
}
