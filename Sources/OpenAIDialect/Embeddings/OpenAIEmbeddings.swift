public import Domain

/// The body of `POST /v1/embeddings`.
public struct OpenAIEmbeddingRequest: Sendable, Hashable {
    public enum Encoding: String, Sendable, Hashable {
        case float, base64
    }

    public var model: String
    public var input: [String]
    public var dimensions: Int?
    public var encoding: Encoding

    public init(model: String, input: [String], dimensions: Int? = nil, encoding: Encoding = .float) {
        self.model = model
        self.input = input
        self.dimensions = dimensions
        self.encoding = encoding
    }

    public var json: JSONValue {
        var members: JSONObject = [
            "model": .string(model), "input": .array(input.map { .string($0) }),
            "encoding_format": .string(encoding.rawValue),
        ]
        members["dimensions"] = dimensions.map { .number(JSONNumber($0)) }
        return .object(members)
    }

    /// Reads a request as a server does. Texts given as tokens are refused: they are of a vocabulary this server does
    /// not have.
    public init(reading json: JSONValue) throws(OpenAIRequestError) {
        let reader = try OpenAIRequestReader(json)
        model = try reader.requiredString("model")
        dimensions = try reader.int("dimensions", in: 1...65_536)
        let name = try reader.string("encoding_format") ?? Encoding.float.rawValue
        guard let encoding = Encoding(rawValue: name) else {
            throw reader.refused("encoding_format", "must be float or base64")
        }
        self.encoding = encoding
        guard let value = reader.value("input") else { throw reader.missing("input") }
        switch value {
        case .string(let text): input = [text]
        case .array(let elements):
            guard !elements.isEmpty else { throw reader.refused("input", "must have at least one text") }
            input = []
            for (position, element) in elements.enumerated() {
                guard case .string(let text) = element else {
                    let isTokens = element.numberValue != nil || element.arrayValue != nil
                    throw OpenAIRequestError(
                        isTokens
                            ? "'input' must be texts: tokens are not supported, because they are of another model's vocabulary"
                            : "'input[\(position)]' must be a string, not a \(element.typeName)",
                        parameter: "input"
                    )
                }
                input.append(text)
            }
        default: throw reader.wrong("input", "a string or an array of strings", value)
        }
        if let empty = input.firstIndex(of: "") {
            throw OpenAIRequestError("'input[\(empty)]' must not be empty", parameter: "input")
        }
    }
}

/// The answer to `POST /v1/embeddings`.
public struct OpenAIEmbeddingReply: Sendable, Hashable {
    public var model: String
    /// In the order of the texts.
    public var vectors: [[Float]]
    public var promptTokens: Int

    public init(model: String, vectors: [[Float]], promptTokens: Int) {
        self.model = model
        self.vectors = vectors
        self.promptTokens = promptTokens
    }

    public func json(_ encoding: OpenAIEmbeddingRequest.Encoding) -> JSONValue {
        let data = vectors.enumerated().map { position, vector -> JSONValue in
            let embedding: JSONValue =
                switch encoding {
                case .float: .array(vector.map { .number(JSONNumber($0) ?? JSONNumber(0)) })
                case .base64: .string(Base64Floats.text(of: vector))
                }
            return ["object": "embedding", "index": .number(JSONNumber(position)), "embedding": embedding]
        }
        let tokens = JSONValue.number(JSONNumber(promptTokens))
        return [
            "object": "list", "data": .array(data), "model": .string(model),
            "usage": ["prompt_tokens": tokens, "total_tokens": tokens],
        ]
    }

    /// Reads what a server sent, in either encoding and any order.
    ///
    /// - Parameter count: of the texts that were sent: one vector for each must have come, all of one length, finite.
    /// - Throws: `malformedReply`.
    public init(json: JSONValue, count: Int, server: String) throws(OpenAIError) {
        func malformed(_ what: String) -> OpenAIError {
            OpenAIError(.malformedReply, "\(server) answered with \(what)")
        }
        guard case .array(let elements)? = json["data"] else { throw malformed("no list of vectors") }
        guard elements.count == count else { throw malformed("\(elements.count) vectors for \(count) texts") }
        var vectors = [[Float]?](repeating: nil, count: count)
        for (position, element) in elements.enumerated() {
            let index = element["index"]?.intValue ?? position
            guard vectors.indices.contains(index), vectors[index] == nil else {
                throw malformed("an index \(index) that stands twice or is none of \(count)")
            }
            guard let vector = Self.vector(element["embedding"]), !vector.isEmpty, vector.allSatisfy(\.isFinite) else {
                throw malformed("something that is no vector at index \(index)")
            }
            vectors[index] = vector
        }
        self.vectors = vectors.compactMap { $0 }
        guard Set(self.vectors.map(\.count)).count <= 1 else { throw malformed("vectors of different lengths") }
        model = json["model"]?.stringValue ?? ""
        let counted = json["usage"]?["prompt_tokens"]?.intValue ?? json["usage"]?["total_tokens"]?.intValue ?? 0
        promptTokens = max(0, min(counted, Limits.reportedTokens))
    }

    private static func vector(_ value: JSONValue?) -> [Float]? {
        switch value {
        case .string(let text)?: return Base64Floats.vector(of: text)
        case .array(let elements)?:
            let numbers = elements.compactMap { $0.doubleValue.map { Float($0) } }
            return numbers.count == elements.count ? numbers : nil
        default: return nil
        }
    }
}
