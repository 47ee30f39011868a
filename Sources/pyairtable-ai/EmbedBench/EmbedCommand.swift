import ArgumentParser
import Domain
import Embeddings
import Foundation

/// `embed`: turns lines of text into vectors, or into the model's token numbers.
struct EmbedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "embed",
        abstract: "Turn lines of text into vectors.",
        discussion: """
            One text a line; an empty line is a text too. With --output the vectors go to a NumPy file, float32 of \
            [texts, dimension] and unit length; without, each as a JSON array on standard output.
            """
    )

    @Option(help: "The file to read; - for standard input.")
    var input: String

    @Option(help: "The file to write: .npy, or JSON lines with --tokens.")
    var output: String?

    @Flag(help: "Give token numbers, a JSON array a line, in place of vectors.")
    var tokens = false

    @Flag(help: "Each line is a JSON string, so that texts may hold line breaks.")
    var jsonLines = false

    @Option(help: "Texts encoded in one call.")
    var batch = 256

    @OptionGroup var model: EmbedModelOptions

    mutating func validate() throws {
        guard (1...65_536).contains(batch) else { throw ValidationError("--batch must be from 1 to 65536") }
    }

    func run() async throws {
        var lines = try TextLines(path: input, format: jsonLines ? .json : .plain)
        let embedder = try model.load()
        var out = try OutputFile(path: output)
        if tokens {
            while case let texts = try lines.next(batch), !texts.isEmpty {
                for text in texts { try out.write(Self.line(embedder.inputIDs(of: text).map { JSONNumber(Int($0)) })) }
            }
            return try out.finish()
        }
        var rows = 0
        if output != nil { try out.write(NPYHeader.bytes(rows: 0, columns: embedder.dimension)) }
        var results = EncodedBatches(embedder, size: batch, ahead: 2, priority: .bulk)
        while let encoded = try await results.next({ try lines.next($0) }) {
            for vector in encoded.vectors {
                if output == nil {
                    // The shortest decimal that gives the same Float again.
                    try out.write(Self.line(vector.map { JSONNumber(Double("\($0)") ?? Double($0)) ?? 0 }))
                } else {
                    try vector.withUnsafeBytes { try out.write($0) }
                }
            }
            rows += encoded.vectors.count
        }
        try out.finish(beginning: output == nil ? [] : NPYHeader.bytes(rows: rows, columns: embedder.dimension))
    }

    private static func line(_ numbers: [JSONNumber]) -> [UInt8] {
        JSONValue.array(numbers.map { .number($0) }).encoded() + [UInt8(ascii: "\n")]
    }
}

/// Encodes batch after batch, some of them at once, and gives the results in order.
struct EncodedBatches {
    private let embedder: TransformerEmbedder
    private let size: Int
    private let ahead: Int
    private let priority: EmbeddingPriority
    private var running: [Task<EncodedTexts, any Error>] = []

    init(_ embedder: TransformerEmbedder, size: Int, ahead: Int, priority: EmbeddingPriority) {
        self.embedder = embedder
        self.size = size
        self.ahead = ahead
        self.priority = priority
    }

    /// The next batch's result; nil when `read`, asked for that many texts, gives none any more.
    mutating func next(_ read: (Int) throws -> [String]) async throws -> EncodedTexts? {
        // These tasks end with the command: nobody outlives this value but on an error that ends the process.
        while running.count < ahead {
            let texts = try read(size)
            guard !texts.isEmpty else { break }
            running.append(
                Task { [embedder, priority] in
                    try await embedder.encode(texts, overlong: .truncate, priority: priority)
                }
            )
        }
        guard !running.isEmpty else { return nil }
        return try await running.removeFirst().value
    }
}
