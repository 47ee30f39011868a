import Domain

extension GeminiClient {
    /// Unit-length vectors of texts, whatever their number: in batches, one after the other.
    ///
    /// - Parameters:
    ///   - model: such as `gemini-embedding-001`.
    ///   - dimensions: of the vectors; nil for the model's own.
    /// - Throws: `GeminiError`: `textsRefused` with the positions of all texts that the API does not take;
    ///   `wrongEmbeddings` when what came is not one finite vector of that size for each text.
    public func embed(
        _ texts: [GeminiEmbeddingText],
        model: String,
        task: GeminiEmbeddingTask,
        dimensions: Int?,
        call: GeminiCall = GeminiCall()
    ) async throws -> GeminiEmbeddings {
        let result = try await embedWherePossible(texts, model: model, task: task, dimensions: dimensions, call: call)
        guard result.refused.isEmpty else {
            throw GeminiError(
                .textsRefused,
                "Gemini does not embed \(result.refused.count) of \(texts.count) texts, the first at position "
                    + "\(result.refused[0])",
                hint: "empty text can't be embedded",
                positions: result.refused
            )
        }
        return GeminiEmbeddings(vectors: result.vectors.compactMap(\.self), tokenCount: result.tokenCount)
    }

    /// The same, but texts that the API refuses are left out instead of failing the rest.
    ///
    /// A batch that is refused is halved until the bad text stands alone. When all are bad it is the request that
    /// is wrong, not the texts: then its own error is thrown, after few tries.
    public func embedWherePossible(
        _ texts: [GeminiEmbeddingText],
        model: String,
        task: GeminiEmbeddingTask,
        dimensions: Int?,
        call: GeminiCall = GeminiCall()
    ) async throws -> GeminiPartialEmbeddings {
        let name = try GeminiModelName(model)
        if let dimensions, !(1...GeminiEmbeddingRun.dimensionsMax).contains(dimensions) {
            throw GeminiError(
                .invalidRequest,
                "a vector of Gemini has at most \(GeminiEmbeddingRun.dimensionsMax) dimensions, not \(dimensions)"
            )
        }
        var run = GeminiEmbeddingRun(client: self, model: name, task: task, dimensions: dimensions, call: call)
        // Empty texts are known to be refused; asking costs a bisection.
        let positions = texts.indices.filter { !texts[$0].text.isEmpty }
        var result = GeminiPartialEmbeddings(
            vectors: Array(repeating: nil, count: texts.count),
            refused: texts.indices.filter { texts[$0].text.isEmpty },
            tokenCount: nil
        )
        let vectors = try await run.vectors(of: positions.map { texts[$0] })
        for (position, vector) in zip(positions, vectors) {
            result.vectors[position] = vector
            if vector == nil { result.refused.append(position) }
        }
        result.refused.sort()
        result.tokenCount = run.tokenCount
        return result
    }
}

/// One call to embed, batch by batch.
struct GeminiEmbeddingRun {
    /// The most that any model gives.
    static let dimensionsMax = 3_072
    /// Refusals without a single success, after which the request is to blame.
    private static let refusalsMax = 8

    let client: GeminiClient
    let model: GeminiModelName
    let task: GeminiEmbeddingTask
    let dimensions: Int?
    let call: GeminiCall
    private(set) var tokenCount: Int?
    private var isCountComplete = true
    private var hasSucceeded = false
    private var refusals = 0

    init(
        client: GeminiClient,
        model: GeminiModelName,
        task: GeminiEmbeddingTask,
        dimensions: Int?,
        call: GeminiCall
    ) {
        self.client = client
        self.model = model
        self.task = task
        self.dimensions = dimensions
        self.call = call
    }

    /// Nil where a text was refused.
    mutating func vectors(of texts: [GeminiEmbeddingText]) async throws -> [[Float]?] {
        let scheme = GeminiEmbeddingScheme(model: model)
        let sent = texts.map { scheme.text($0, task) }
        let requests = zip(sent, texts).map { request($0, title: $1.title, scheme) }
        var vectors: [[Float]?] = []
        vectors.reserveCapacity(texts.count)
        for range in GeminiEmbeddingBatches.ranges(sent) {
            vectors += try await bisecting(requests[range])
        }
        if let size = vectors.lazy.compactMap(\.self).first?.count,
            let odd = vectors.firstIndex(where: { $0.map { $0.count != size } ?? false })
        {
            throw GeminiError(
                .wrongEmbeddings,
                "Gemini's vectors differ in size: \(size) and \(vectors[odd]?.count ?? 0) dimensions"
            )
        }
        return vectors
    }

    private mutating func bisecting(_ requests: ArraySlice<JSONValue>) async throws -> [[Float]?] {
        do {
            let reply = try await ask(requests)
            hasSucceeded = true
            count(reply.tokenCount)
            return reply.vectors
        } catch let error as GeminiError where [.requestRefused, .inputTooLong].contains(error.code) {
            guard requests.count > 1 else {
                refusals += 1
                if !hasSucceeded, refusals >= Self.refusalsMax { throw error }
                return [nil]
            }
            let middle = requests.startIndex + requests.count / 2
            let first = try await bisecting(requests[..<middle])
            let second = try await bisecting(requests[middle...])
            return first + second
        }
    }

    private mutating func count(_ tokens: Int?) {
        guard let tokens, isCountComplete else {
            isCountComplete = false
            tokenCount = nil
            return
        }
        tokenCount = (tokenCount ?? 0) + tokens
    }

    private func ask(_ requests: ArraySlice<JSONValue>) async throws -> GeminiEmbeddings {
        let isOne = requests.count == 1
        let method: GeminiMethod = isOne ? .embedContent : .batchEmbedContents
        let body = isOne ? requests[requests.startIndex] : ["requests": .array(Array(requests))]
        let order = GeminiClient.Order(
            path: method.path(model),
            body: body.encoded(),
            deadlines: client.configuration.asking,
            model: model
        )
        return try await client.ask(order, call: call) { bytes in
            let reply = try GeminiEmbeddingReply(bytes, client: client, model: model)
            let vectors = try reply.unitVectors(count: requests.count, dimensions: dimensions)
            return GeminiEmbeddings(vectors: vectors, tokenCount: reply.tokenCount)
        }
    }

    private func request(_ text: String, title: String?, _ scheme: GeminiEmbeddingScheme) -> JSONValue {
        // Each entry repeats the model, and it must be the address's.
        var request: JSONObject = [
            "model": .string(model.path), "content": ["parts": [["text": .string(text)]]],
        ]
        if scheme == .taskType {
            request["taskType"] = .string(task.type)
            if task == .document, let title, !title.isEmpty { request["title"] = .string(title) }
        }
        request["outputDimensionality"] = dimensions.map { .number(JSONNumber($0)) }
        return .object(request)
    }
}
