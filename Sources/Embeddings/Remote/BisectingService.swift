/// Finds the texts that a service does not take, where it only says that a batch was refused: halves the batch until the
/// bad text stands alone.
struct BisectingService<Base: BisectableService>: RemoteEmbeddingService {
    /// Refusals without one success, after which it is the request that is wrong and not the texts.
    static var refusalsMax: Int { 8 }

    let base: Base

    func vectors(of texts: [String], kind: EmbeddingKind) async throws -> RemoteVectors {
        var run = Run(base: base, kind: kind)
        let vectors = try await run.vectors(of: texts[...])
        return RemoteVectors(vectors: vectors, tokenCount: run.isCountComplete ? run.tokenCount : nil)
    }

    private struct Run {
        let base: Base
        let kind: EmbeddingKind
        var tokenCount = 0
        var isCountComplete = true
        var hasSucceeded = false
        var refusals = 0

        mutating func vectors(of texts: ArraySlice<String>) async throws -> [[Float]?] {
            switch try await base.answer(for: Array(texts), kind: kind) {
            case .vectors(let vectors, let count):
                hasSucceeded = true
                if let count { tokenCount += count } else { isCountComplete = false }
                return vectors
            case .refused(let error):
                guard texts.count > 1 else {
                    refusals += 1
                    if !hasSucceeded, refusals >= BisectingService.refusalsMax { throw error }
                    return [nil]
                }
                let middle = texts.startIndex + texts.count / 2
                let first = try await vectors(of: texts[..<middle])
                return first + (try await vectors(of: texts[middle...]))
            }
        }
    }
}

/// A service that refuses a batch as a whole.
protocol BisectableService: Sendable {
    func answer(for texts: [String], kind: EmbeddingKind) async throws -> BatchAnswer
}

enum BatchAnswer: Sendable {
    /// In the order of the texts.
    case vectors([[Float]], tokenCount: Int?)
    /// Some text of the batch is to blame, or the request.
    case refused(EmbeddingsError)
}
