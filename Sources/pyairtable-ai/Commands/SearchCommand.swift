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

    @Option(help: "Search and show only this field (name or id); may be repeated.")
    var fields: [String] = []

    @Option(help: "A formula: search only records for which it is true.")
    var filter: String?

    @Option(help: "Hits at most.")
    var limit: Int?

    @Option(
        help: "By meaning and words (hybrid), by meaning (semantic), or by words (lexical).",
        transform: SearchCommand.mode
    )
    var mode: SearchMode?

    @Option(help: "Leave out hits of a lower score.")
    var minScore: Double?

    @Option(help: "The cursor of the page before, for the hits after it.")
    var cursor: String?

    @Flag(help: "Show both ranks and scores of each hit, and where the time went.")
    var explain = false

    @Flag(help: "Print one JSON object.")
    var json = false

    @Flag(help: "Read JSON lines {\"id\",\"query\",\"k\"} from stdin and print {\"id\",\"hits\":[recordId…]} for each.")
    var batch = false

    private static func mode(_ text: String) throws -> SearchMode {
        if let mode = SearchMode(rawValue: text) { return mode }
        throw ValidationError("--mode is one of \(SearchMode.allCases.map(\.rawValue).joined(separator: ", "))")
    }

    func validate() throws {
        if batch && cursor != nil { throw ValidationError("--cursor goes with one query") }
        if batch == (query != nil) { throw ValidationError("give a query, or --batch") }
    }

    func run() async throws {
        try await withServices(shared, makesData: false) { services, context in
            let search = try await services.openSearch()
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
        SearchRequest(
            query: query,
            bases: base.map { [$0] },
            tables: table.map { [$0] },
            fields: fields.isEmpty ? nil : fields,
            filter: filter,
            limit: limit,
            cursor: cursor,
            mode: mode,
            minScore: minScore,
            explain: explain ? true : nil
        )
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
        if response.degraded != nil {
            Console.writeError("the embedding model did not answer: searched by words only\n")
        }
        if response.hits.isEmpty { Console.writeError("nothing found\n") }
        let isTerminal = isatty(STDOUT_FILENO) == 1
        for (position, hit) in response.hits.enumerated() {
            let first = hit.fields.first?.value
            let name = Console.printable(first?.stringValue ?? first?.text ?? hit.recordID.description)
            let heading = isTerminal ? "\u{1B}[1m\(name)\u{1B}[0m" : name
            let score = String(format: "%.3f", hit.score)
            let place = Console.printable("\(hit.base) / \(hit.table)")
            Console.write("\(position + 1). \(heading)  (\(place), \(score))\n   \(hit.recordID)\n")
            let snippet = hit.snippet.split(whereSeparator: \.isNewline).joined(separator: " ")
            Console.writeText("   \(snippet)\n")
            if let explanation = hit.explanation { Console.write("   \(text(of: explanation))\n") }
        }
        if let explanation = response.explanation, let value = try? JSONCoder.value(of: explanation) {
            // It always encodes; for reading, its JSON says it as well as any prose.
            Console.write("\(value.text)\n")
        }
        if let cursor = response.cursor { Console.writeError("more: --cursor \(cursor)\n") }
    }

    private func text(of explanation: HitExplanation) -> String {
        func side(_ name: String, _ rank: Int?, _ score: Double?) -> String {
            guard let rank, let score else { return "\(name): -" }
            return "\(name): #\(rank), \(score)"
        }
        return side("meaning", explanation.semanticRank, explanation.cosine) + " · "
            + side("words", explanation.lexicalRank, explanation.bm25)
    }
}
