import Domain
import Embeddings
import Search

/// The body that asks for vectors of a few texts.
struct EmbeddingRequestWire: DocumentedWireType, Hashable {
    let input: [String]
    let kind: EmbeddingKind?
    let truncate: Truncation?

    enum Truncation: String, Codable, Sendable, Hashable, CaseIterable { case error, truncate }

    enum CodingKeys: String, CodingKey { case input, kind, truncate }

    init(input: [String], kind: EmbeddingKind?, truncate: Truncation?) {
        self.input = input
        self.kind = kind
        self.truncate = truncate
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        input = try container.decode([String].self, forKey: .input)
        // The schema has been checked: what is there is one of the kinds.
        kind = try container.decodeIfPresent(String.self, forKey: .kind).flatMap { EmbeddingKind(rawValue: $0) }
        truncate = try container.decodeIfPresent(Truncation.self, forKey: .truncate)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(input, forKey: .input)
        try container.encodeIfPresent(kind?.rawValue, forKey: .kind)
        try container.encodeIfPresent(truncate, forKey: .truncate)
    }

    var request: TextEmbeddingRequest {
        TextEmbeddingRequest(input: input, kind: kind ?? .document, truncates: truncate == .truncate)
    }

    static let schemaName = "EmbeddingRequest"
    static let schema = JSONSchema.object(
        properties: [
            "input": .array(
                of: .string(),
                description: "At most \(Limits.embeddingInputs), of \(Limits.embeddingCharacters) characters together."
            ),
            "kind": .string(
                description: "Whether the texts are looked for or to be found; `document` when left out.",
                enum: EmbeddingKind.allCases.map(\.rawValue)
            ),
            "truncate": .string(
                description: "What to do with a text that is longer than the model reads; `error` when left out.",
                enum: Truncation.allCases.map(\.rawValue)
            ),
        ],
        required: ["input"]
    )
    static let sample = EmbeddingRequestWire(input: ["a gas lighter than air"], kind: .query, truncate: .error)
}

/// Vectors of a few texts.
struct EmbeddingListWire: DocumentedWireType, Hashable {
    struct Embedding: Codable, Sendable, Hashable {
        let values: [Double]
        let truncated: Bool
    }

    struct Usage: Codable, Sendable, Hashable { let tokens: Int }

    let model: String
    let dimensions: Int
    let embeddings: [Embedding]
    let usage: Usage

    init(model: String, dimensions: Int, embeddings: [Embedding], usage: Usage) {
        self.model = model
        self.dimensions = dimensions
        self.embeddings = embeddings
        self.usage = usage
    }

    init(_ found: TextEmbeddings) {
        let truncated = Set(found.truncated)
        self.init(
            model: found.model.description,
            dimensions: found.dimensions,
            embeddings: found.vectors.enumerated().map { position, vector in
                // The shortest decimal that gives the same Float again.
                Embedding(
                    values: vector.map { Double("\($0)") ?? Double($0) },
                    truncated: truncated.contains(position)
                )
            },
            usage: Usage(tokens: found.tokens)
        )
    }

    static let schemaName = "EmbeddingList"
    static let schema = JSONSchema.object(
        properties: [
            "model": .string(),
            "dimensions": .integer(minimum: 1),
            "embeddings": .array(
                of: .object(
                    properties: [
                        "values": .array(of: .number(), description: "Of unit length."),
                        "truncated": .boolean(description: "Whether the end of the text is not in it."),
                    ],
                    required: ["values", "truncated"]
                ),
                description: "In the order of the texts."
            ),
            "usage": .object(properties: ["tokens": .integer(minimum: 0)], required: ["tokens"]),
        ],
        required: ["model", "dimensions", "embeddings", "usage"]
    )
    static let sample = EmbeddingListWire(
        model: "local",
        dimensions: 2,
        embeddings: [Embedding(values: [0.6, 0.8], truncated: false)],
        usage: Usage(tokens: 7)
    )
}
