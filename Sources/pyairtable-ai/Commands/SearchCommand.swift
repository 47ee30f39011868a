import App
import ArgumentParser
import Domain
import Embeddings
import Foundation
import Search

/// `search "QUERY"`: records by meaning and by words.
struct SearchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search",
        abstract: "Find records by meaning and by words."
    )

    @OptionGroup var shared: SharedOptions

    @Argument(help: "What to look for; or use --batch.")
    var query: String?

    @Option(help: "Search only this base (name or id).")
    var base: String?

    @Option(help: "Search only this table (name or id).")
    var table: String?

    @Option(help: "Hits at most.")
    var limit: Int?

    @Flag(help: "Print one JSON object.")
    var json = false

    @Flag(help: "Read JSON lines {\"id\",\"query\",\"k\"} from stdin and print {\"id\",\"hits\":[recordId…]} for each.")
    var batch = false

    func validate() throws {
        if batch == (query != nil) { throw ValidationError("give a query, or --batch") }
    }

    func run() async throws {
        try await withServices(shared, makesData: false) { services, context in
            let search = try services.openSearch()
            defer { search.pool.close() }
            if batch { return try await runBatch(search.search, context) }
            let response = try await search.search.search(request(query ?? "", limit: limit), context: context)
            if json {
                Console.writeLine(try JSONCoder.value(of: response))
            } else {
                show(response)
            }
        }
    }

    private func request(_ query: String, limit: Int?) -> SearchRequest {
        SearchRequest(query: query, bases: base.map { [$0] }, tables: table.map { [$0] }, limit: limit)
    }

    private struct BatchLine: Decodable {
        var id: JSONValue
        var query: String
        var k: Int?
    }

    /// A line of the input that is no question.
    private struct BatchLineError: Failure {
        enum Code: String, Sendable { case invalidLine }

        var code: Code { .invalidLine }
        var kind: FailureKind { .invalid }
        let message: String
        let hint: String? = "a line is {\"id\",\"query\",\"k\"}; the answers to the lines before it stand"

        init(line: Int, reason: String) { message = "line \(line) of the input: \(reason)" }

        static func == (left: Self, right: Self) -> Bool { left.message == right.message }
    }

    private func runBatch(_ search: SearchService, _ context: RequestContext) async throws {
        var number = 0
        while let line = readLine(strippingNewline: true) {
            number += 1
            if line.allSatisfy(\.isWhitespace) { continue }
            do {
                let entry = try JSONCoder.decode(BatchLine.self, from: Array(line.utf8))
                let response = try await search.search(request(entry.query, limit: entry.k ?? limit), context: context)
                let hits = response.hits.map { JSONValue.string($0.recordID.description) }
                Console.writeLine(["id": entry.id, "hits": .array(hits)])
            } catch let error as any Failure where error.kind == .invalid || error.kind == .tooLarge {
                throw BatchLineError(line: number, reason: error.message)
            }
        }
    }

    private func show(_ response: SearchResponse) {
        if response.hits.isEmpty { Console.writeError("nothing found\n") }
        let isTerminal = isatty(STDOUT_FILENO) == 1
        for (position, hit) in response.hits.enumerated() {
            let first = hit.fields.first?.value
            let name = first?.stringValue ?? first?.text ?? hit.recordID.description
            let heading = isTerminal ? "\u{1B}[1m\(name)\u{1B}[0m" : name
            let score = String(format: "%.3f", hit.score)
            Console.write("\(position + 1). \(heading)  (\(hit.base) / \(hit.table), \(score))\n   \(hit.recordID)\n")
            let snippet = hit.snippet.split(whereSeparator: \.isNewline).joined(separator: " ")
            Console.write("   \(snippet)\n")
        }
    }
}
