import ArgumentParser
import Domain
import Embeddings
import Foundation

/// `embed-bench`: how fast this machine encodes the lines of a file.
struct EmbedBenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "embed-bench",
        abstract: "Measure the encoder on the lines of a file."
    )

    @Option(help: "The file to read, one text a line; - for standard input.")
    var input: String

    @Flag(help: "Each line is a JSON string.")
    var jsonLines = false

    @Option(help: "Texts encoded in one call.")
    var batch = 32

    @Flag(help: "Print one JSON object.")
    var json = false

    @OptionGroup var model: EmbedModelOptions

    mutating func validate() throws {
        guard (1...65_536).contains(batch) else { throw ValidationError("--batch must be from 1 to 65536") }
    }

    /// Single texts that are timed for the percentiles, spread over the file.
    private static let singlesMax = 200
    private static let singlesTime = Duration.seconds(20)

    func run() async throws {
        let clock = ContinuousClock()
        var lines = try TextLines(path: input, format: jsonLines ? .json : .plain)
        var texts: [String] = []
        while case let more = try lines.next(4_096), !more.isEmpty { texts += more }
        guard !texts.isEmpty else { throw EmbedInputError(.noTexts, "the input holds no text") }

        let loadStart = clock.now
        let embedder = try model.load()
        let load = clock.now - loadStart

        // Warm-up: pages of the weights, workspaces, the BLAS's buffers.
        _ = try await embedder.embed(Array(texts.prefix(batch)), priority: .bulk)
        let start = clock.now
        var results = EncodedBatches(embedder, size: batch, ahead: 2, priority: .bulk)
        var (next, tokens) = (0, 0)
        while let encoded = try await results.next({ count in
            defer { next = min(next + count, texts.count) }
            return Array(texts[next..<min(next + count, texts.count)])
        }) {
            tokens += encoded.tokenCounts.reduce(0, +)
        }
        let seconds = (clock.now - start) / .seconds(1)
        let singles = try await timeSingles(texts, embedder)
        report(
            [
                ("textsPerSecond", Double(texts.count) / seconds),
                ("tokensPerSecond", Double(tokens) / seconds),
                ("p50Ms", Self.percentile(singles, 0.50)),
                ("p99Ms", Self.percentile(singles, 0.99)),
                ("loadSeconds", load / .seconds(1)),
            ],
            [
                ("peakRSSBytes", Self.peakRSSBytes()), ("texts", texts.count), ("tokens", tokens),
                ("threads", model.threadCount), ("batch", batch), ("singles", singles.count),
            ],
            [("model", embedder.identity.id), ("instructionSet", TransformerEmbedder.instructionSet)]
        )
    }

    /// Milliseconds of single texts, one after the other, ascending.
    private func timeSingles(_ texts: [String], _ embedder: TransformerEmbedder) async throws -> [Double] {
        let clock = ContinuousClock()
        let step = max(1, texts.count / Self.singlesMax)
        let deadline = clock.now + Self.singlesTime
        var times: [Double] = []
        for position in stride(from: 0, to: texts.count, by: step) where clock.now < deadline {
            let start = clock.now
            _ = try await embedder.embed([texts[position]], priority: .interactive)
            times.append((clock.now - start) / .milliseconds(1))
        }
        return times.sorted()
    }

    private static func percentile(_ sorted: [Double], _ share: Double) -> Double {
        sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
    }

    private static func peakRSSBytes() -> Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss * 1_024
    }

    private func report(_ rates: [(String, Double)], _ counts: [(String, Int)], _ names: [(String, String)]) {
        var members = JSONObject()
        for (key, value) in rates {
            members[key] = .number(JSONNumber((value * 10_000).rounded() / 10_000) ?? 0)
        }
        for (key, value) in counts { members[key] = .number(JSONNumber(value)) }
        for (key, value) in names { members[key] = .string(value) }
        let text =
            json
            ? JSONValue.object(members).text + "\n"
            : members.map { "\($0.key): \($0.value.stringValue ?? $0.value.text)\n" }.joined()
        FileHandle.standardOutput.write(Data(text.utf8))
    }
}
