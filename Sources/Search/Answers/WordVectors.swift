import Domain
import Embeddings
import Synchronization

/// Vectors of single words and names of fields, remembered: questions come back to the same ones.
final class WordVectors: Sendable {
    private struct State {
        /// Whose vectors these are: those of another model are of another space.
        var identity: ModelIdentity?
        var vectors: [String: [Float]] = [:]
        /// A ring: the next place to overwrite is the oldest.
        var order: [String] = []
        var next = 0
    }

    private let state = Mutex(State())

    /// The vectors of `texts` by `embedder`, each encoded once as long as no other embedder asks.
    func vectors(of texts: some Sequence<String>, by embedder: any Embedder) async throws -> [String: [Float]] {
        let (wanted, identity) = (Set(texts), embedder.identity)
        var found = state.withLock { state in
            if state.identity != identity {
                state = State()
                state.identity = identity
            }
            return wanted.reduce(into: [String: [Float]]()) { $0[$1] = state.vectors[$1] }
        }
        let missing = wanted.filter { found[$0] == nil }.sorted()
        if missing.isEmpty { return found }
        let encoded = try await embedder.embed(missing, priority: .interactive)
        for (text, vector) in zip(missing, encoded) { found[text] = vector }
        state.withLock { state in
            guard state.identity == identity else { return }
            for (text, vector) in zip(missing, encoded) where state.vectors.updateValue(vector, forKey: text) == nil {
                if state.order.count < Limits.wordVectors {
                    state.order.append(text)
                } else {
                    state.vectors[state.order[state.next]] = nil
                    state.order[state.next] = text
                    state.next = (state.next + 1) % Limits.wordVectors
                }
            }
        }
        return found
    }

    /// The cosine of two vectors of unit length.
    static func cosine(_ left: [Float], _ right: [Float]) -> Double {
        var sum: Float = 0
        for position in 0..<min(left.count, right.count) { sum += left[position] * right[position] }
        return Double(sum)
    }
}
