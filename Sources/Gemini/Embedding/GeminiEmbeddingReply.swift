import Domain

/// `{"embeddings":[{"values":[…]}]}`, or `{"embedding":{"values":[…]}}` for one text.
///
/// Decoded straight into numbers: a batch has some three hundred thousand of them.
struct GeminiEmbeddingReply {
    private struct Body: Decodable {
        var embeddings: [Embedding]?
        var embedding: Embedding?
        var usageMetadata: JSONValue?
        var error: JSONValue?
    }

    private struct Embedding: Decodable { var values: [Float]? }

    let vectors: [[Float]]
    let tokenCount: Int?

    init(_ bytes: [UInt8], client: GeminiClient, model: GeminiModelName) throws {
        let body: Body
        do {
            body = try JSONCoder.decode(Body.self, from: bytes, limits: .geminiReply)
        } catch let error as JSONError {
            throw client.malformed("what came is no list of vectors", bytes, error.message)
        }
        if body.error != nil { _ = try client.json(bytes, model: model) }
        guard let embeddings = body.embeddings ?? body.embedding.map({ [$0] }) else {
            throw client.malformed("there are no vectors in the reply", bytes)
        }
        vectors = embeddings.map { $0.values ?? [] }
        let usage = body.usageMetadata
        let counted = usage?["promptTokenCount"]?.wholeNumber ?? usage?["totalTokenCount"]?.wholeNumber
        tokenCount = counted.map { max(0, min($0, Limits.reportedTokens)) }
    }

    /// Checks number, size and finiteness, and brings each to unit length: shortened vectors do not come with it.
    func unitVectors(count: Int, dimensions: Int?) throws(GeminiError) -> [[Float]] {
        guard vectors.count == count else {
            throw GeminiError(.wrongEmbeddings, "Gemini gave \(vectors.count) vectors for \(count) texts")
        }
        var unit: [[Float]] = []
        unit.reserveCapacity(count)
        for vector in vectors { unit.append(try Self.unit(vector, dimensions: dimensions)) }
        return unit
    }

    private static func unit(_ vector: [Float], dimensions: Int?) throws(GeminiError) -> [Float] {
        guard !vector.isEmpty, dimensions.map({ $0 == vector.count }) ?? true else {
            throw GeminiError(
                .wrongEmbeddings,
                "Gemini gave a vector of \(vector.count) dimensions instead of \(dimensions.map(String.init) ?? "some")"
            )
        }
        let squares = vector.reduce(into: 0.0) { $0 += Double($1) * Double($1) }
        guard squares.isFinite, squares > 0 else {
            throw GeminiError(.wrongEmbeddings, "Gemini gave a vector without a length that is finite and not 0")
        }
        let scale = 1 / squares.squareRoot()
        return vector.map { Float(Double($0) * scale) }
    }
}
