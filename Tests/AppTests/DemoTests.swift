import Domain
import Foundation
import TestSupport
import Testing

/// The main job on real data, through every door.
@Suite("The demo base", .serialized)
struct DemoTests {
    private struct Questions: Decodable {
        struct Question: Decodable {
            var id: Int
            var question: String
            var answers: [String]
        }
        var questions: [Question]
    }

    private func questions() throws -> [Questions.Question] {
        let url = repositoryRoot.appendingPathComponent("Examples/periodic-table/questions.json")
        return try JSONCoder.decode(Questions.self, from: [UInt8](Data(contentsOf: url))).questions
    }

    @Test("answers at least 26 of 40 questions with the first record, and 36 within the first three")
    func fortyQuestions() async throws {
        let data = try await DemoData.directory()
        let questions = try questions()
        #expect(questions.count == 40)
        var first = 0
        var firstThree = 0
        try await withServer(data: data) { url, key, _ in
            for question in questions {
                let hits = try await search(url, key, question.question, limit: 3)
                let names = hits.map { hit in
                    hit["table"]?.stringValue == "Elements"
                        ? hit["fields"]?["Name"]?.stringValue ?? "?" : "another table"
                }
                if let best = names.first, question.answers.contains(best) { first += 1 }
                if names.contains(where: question.answers.contains) {
                    firstThree += 1
                } else {
                    Attachment.record(
                        "\(question.id) \(question.question): \(names)",
                        named: "missed-\(question.id).txt"
                    )
                }
            }
        }
        #expect(first >= 26, "first: \(first), within three: \(firstThree)")
        #expect(firstThree >= 36, "first: \(first), within three: \(firstThree)")
    }

    @Test("gives the same hits by command line, batch and HTTP")
    func sameEverywhere() async throws {
        let data = try await DemoData.directory()
        let query = "filament of an old light bulb"
        let line = try await Binary.run(["search", query, "--limit", "5", "--json", "--data", data])
        let byLine = try #require(try line.json().first?["hits"]?.arrayValue).compactMap { $0["recordId"]?.stringValue }
        #expect(byLine.count == 5)
        let input = JSONValue.object(["id": 7, "query": .string(query), "k": 5]).text + "\n"
        let batch = try await Binary.run(["search", "--batch", "--data", data], input: input)
        let byBatch = try #require(try batch.json().first)
        #expect(byBatch["id"]?.intValue == 7)
        #expect(byBatch["hits"]?.arrayValue?.compactMap(\.stringValue) == byLine)
        try await withServer(data: data) { url, key, _ in
            let hits = try await search(url, key, query, limit: 5)
            #expect(hits.compactMap { $0["recordId"]?.stringValue } == byLine)
        }
    }

    @Test("is searched by the official MCP SDK over stdio")
    func officialSDK() async throws {
        let data = try await DemoData.directory()
        let result = try await Binary.run(
            [
                repositoryRoot.appendingPathComponent("Tests/Clients/mcp_stdio.py").path, Binary.url.path, data,
                "the gas that makes party balloons float",
            ],
            program: repositoryRoot.appendingPathComponent(".venv/bin/python")
        )
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("Helium"))
        #expect(result.output.contains(#""event": "done""#))
    }

    @Test("is searched by the official MCP SDK over HTTP, and refuses whoever may not")
    func officialSDKOverHTTP() async throws {
        let data = try await DemoData.directory()
        try await withServer(data: data) { url, key, _ in
            let script = repositoryRoot.appendingPathComponent("Tests/Clients/mcp_http.py").path
            let result = try await Binary.run(
                [script, url, key, "the gas that makes party balloons float"],
                program: repositoryRoot.appendingPathComponent(".venv/bin/python")
            )
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.output.contains("Helium"))
            #expect(result.output.contains(#""event": "done""#))
        }
    }

    @Test("is searched in the page, by keyboard, at 1280 and 390 pixels, in headless Chromium")
    func page() async throws {
        let data = try await DemoData.directory()
        try await withServer(data: data) { url, key, _ in
            let script = repositoryRoot.appendingPathComponent("Tests/Clients/page.py").path
            let result = try await Binary.run(
                [script, url, key, "the gas that makes party balloons float", "Helium"],
                program: repositoryRoot.appendingPathComponent(".venv/bin/python")
            )
            #expect(result.status == 0, "\(result.errors)")
        }
    }

    @Test("is served again without embedding anything, and says where the key was shown")
    func secondStart() async throws {
        let data = try await DemoData.directory()
        let again = try await Binary.run([
            "import", "--if-absent", "--quiet", "Examples/periodic-table", "--data", data,
        ])
        #expect(again.status == 0)
        #expect(again.output.isEmpty)
        let index = try await Binary.run(["index", "--json", "--data", data])
        #expect(try index.json().first?["current"]?.boolValue == true)
        try await withServer(data: data) { _, _, _ in }
        let server = try Binary.Running(["serve", "--data", data, "--bind", "127.0.0.1:0", "--admin-bind", "off"])
        defer { server.kill() }
        try await eventually("the banner") { server.output.contains("Stop with") }
        #expect(server.output.contains("shown when the server first started"))
        #expect(server.output.contains("key create"))
        server.terminate()
        #expect(await server.result().status == 0)
    }

    private func search(_ url: String, _ key: String, _ query: String, limit: Int) async throws -> [JSONValue] {
        let body = JSONValue.object(["query": .string(query), "limit": .number(JSONNumber(limit))]).text
        let reply = try await Binary.run(
            [
                "-sS", "--fail-with-body", "\(url)/api/v1/search", "-H", "Authorization: Bearer \(key)",
                "-H", "Content-Type: application/json", "-d", body,
            ],
            program: URL(fileURLWithPath: "/usr/bin/curl")
        )
        return try #require(try JSONValue(parsing: reply.output)["hits"]?.arrayValue, "\(reply.output)\(reply.errors)")
    }
}
