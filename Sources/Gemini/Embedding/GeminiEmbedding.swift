/// A text to embed.
public struct GeminiEmbeddingText: Sendable, Hashable {
    public var text: String
    /// Of a document; other tasks ignore it.
    public var title: String?

    public init(_ text: String, title: String? = nil) {
        self.text = text
        self.title = title
    }
}

/// What vectors are for: the models place a question near its answers, not near questions alike.
public enum GeminiEmbeddingTask: String, Sendable, Hashable, CaseIterable {
    case query, document, similarity, classification, clustering, questionAnswering, factVerification, codeQuery
}

/// One unit-length vector for each text, in the order of the texts.
public struct GeminiEmbeddings: Sendable, Hashable {
    public var vectors: [[Float]]
    /// As the API counts them; nil when it does not say.
    public var tokenCount: Int?

    public init(vectors: [[Float]], tokenCount: Int?) {
        self.vectors = vectors
        self.tokenCount = tokenCount
    }
}

/// The same where some texts were refused.
public struct GeminiPartialEmbeddings: Sendable, Hashable {
    /// Nil exactly at the refused positions.
    public var vectors: [[Float]?]
    /// Ascending.
    public var refused: [Int]
    public var tokenCount: Int?
}

/// How a model is told the task. Part of an index's identity: other words, other vectors.
public enum GeminiEmbeddingScheme: String, Sendable, Hashable {
    /// `taskType` and `title` beside the text, as `gemini-embedding-001` takes them.
    case taskType = "task-type"
    /// Words before the text, as `gemini-embedding-2` and later take them.
    case prefix

    public init(model: GeminiModelName) {
        let prefix = "gemini-embedding-"
        let name = model.description.lowercased()
        let number = name.hasPrefix(prefix) ? Int(name.dropFirst(prefix.count).prefix { $0.isNumber }) : nil
        self = (number ?? 1) >= 2 ? .prefix : .taskType
    }

    /// The text as it is sent.
    func text(_ text: GeminiEmbeddingText, _ task: GeminiEmbeddingTask) -> String {
        switch self {
        case .taskType: text.text
        case .prefix where task == .document: "title: \(text.title ?? "none") | text: \(text.text)"
        case .prefix: "task: \(task.words) | query: \(text.text)"
        }
    }
}

extension GeminiEmbeddingTask {
    var type: String {
        switch self {
        case .query: "RETRIEVAL_QUERY"
        case .document: "RETRIEVAL_DOCUMENT"
        case .similarity: "SEMANTIC_SIMILARITY"
        case .classification: "CLASSIFICATION"
        case .clustering: "CLUSTERING"
        case .questionAnswering: "QUESTION_ANSWERING"
        case .factVerification: "FACT_VERIFICATION"
        case .codeQuery: "CODE_RETRIEVAL_QUERY"
        }
    }

    fileprivate var words: String {
        switch self {
        case .query, .document: "search result"
        case .similarity: "sentence similarity"
        case .classification: "classification"
        case .clustering: "clustering"
        case .questionAnswering: "question answering"
        case .factVerification: "fact checking"
        case .codeQuery: "code retrieval"
        }
    }
}
