import Domain
import Embeddings
import Foundation
import TestSupport

/// The model that `scripts/setup model` fetches, loaded once for all tests.
enum RealModel {
    static let directory =
        ProcessInfo.processInfo.environment["PYAIRTABLE_MODEL_DIR"]
        ?? repositoryRoot.appendingPathComponent("models/all-MiniLM-L6-v2").path

    static let tokenizer = Result { try WordPieceTokenizer(directory: directory) }
    static let oneThread = Result { try TransformerEmbedder.load(directory: directory, pool: ComputePool(threads: 1)) }
    static let twoThreads = Result { try TransformerEmbedder.load(directory: directory, pool: ComputePool(threads: 2)) }
}

/// Reference data beside the tests.
enum Fixtures {
    static func json(_ name: String) throws -> JSONValue {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/\(name)")
        return try JSONValue(parsing: [UInt8](Data(contentsOf: file)))
    }
}

/// Whether the long form of a randomised test is wanted: `PYAIRTABLE_LONG=1`.
let isLongRun = ProcessInfo.processInfo.environment["PYAIRTABLE_LONG"] == "1"

/// The seed of the randomised tests; `PYAIRTABLE_SEED` repeats a run.
let testSeed = ProcessInfo.processInfo.environment["PYAIRTABLE_SEED"].flatMap(UInt64.init) ?? 20_261_121

func maxDifference(_ left: [Float], _ right: [Float]) -> Float {
    guard left.count == right.count else { return .infinity }
    return zip(left, right).reduce(0) { max($0, $1.0.isNaN || $1.1.isNaN ? .infinity : abs($1.0 - $1.1)) }
}
