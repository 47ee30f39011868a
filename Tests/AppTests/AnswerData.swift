import App
import Domain
import Embeddings
import Foundation
import Logging
import Search
import TestSupport

/// Three bases in one data directory, indexed with the real model, and questions about them.
enum AnswerData {
    struct Question: Decodable, Sendable {
        var base: String
        var question: String
        /// Primary values of the records that answer; none when the base does not answer.
        var answers: [String]
        /// Where the answer is a certain cell: the name of its field.
        var field: String?
        /// `given` are the demo base's own.
        var split: String
    }

    private struct Written: Decodable { var questions: [Question] }

    private struct Given: Decodable {
        struct Entry: Decodable {
            var question: String
            var answers: [String]
        }

        var base: String
        var questions: [Entry]
    }

    static func questions() throws -> [Question] {
        let given = try JSONCoder.decode(
            Given.self,
            from: [UInt8](contents(of: "Examples/periodic-table/questions.json"))
        )
        let written = try JSONCoder.decode(
            Written.self,
            from: [UInt8](contents(of: "Tests/AppTests/Answers/questions.json"))
        )
        return given.questions.map {
            Question(base: given.base, question: $0.question, answers: $0.answers, split: "given")
        } + written.questions
    }

    private static func contents(of path: String) throws -> Data {
        try Data(contentsOf: repositoryRoot.appendingPathComponent(path))
    }

    /// The demo base, and the two small ones beside it.
    static func directory(in place: URL) async throws -> String {
        let data = try await DemoData.copy(to: place)
        for name in ["studio", "kitchen", "nursery"] {
            let result = try await Binary.run(["import", "Tests/AppTests/Answers/\(name)", "--data", data])
            guard result.status == 0 else { throw TestSupportError("\(name): \(result.errors)") }
        }
        let result = try await Binary.run(["index", "--data", data])
        guard result.status == 0 else { throw TestSupportError("index: \(result.errors)") }
        return data
    }

    /// Opens the directory in this process.
    static func withServices(
        data: String,
        _ body: (Services, SearchServices, RequestContext) async throws -> Void
    ) async throws {
        let model = repositoryRoot.appendingPathComponent("models/all-MiniLM-L6-v2").path
        let flags: [Setting: String] = [.data: data, .modelDirectory: model, .threads: "2"]
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let services = try await Services.open(
            try AppConfiguration.load(flags: flags, environment: [:]),
            logger: logger
        )
        let search = try await services.openSearch()
        do {
            try await body(services, search, try await services.ownerContext(.commandLine, timeout: .seconds(600)))
        } catch {
            search.pool.close()
            await services.close()
            throw error
        }
        search.pool.close()
        await services.close()
    }
}
