public import Domain

/// What can go wrong between a text and its vector.
public struct EmbeddingsError: Failure, Equatable {
    public enum Code: String, Sendable, CaseIterable {
        /// No model where one was looked for.
        case modelMissing
        /// A file of the model is cut short, inconsistent or not what it claims to be.
        case modelDamaged
        /// A sound model of a kind this encoder can't run.
        case modelUnsupported
        /// A text has more tokens than the model reads, and the caller asked not to cut it.
        case textTooLong
        /// The compute queue is full: nobody's fault, try again.
        case busy
        /// The pool was shut down.
        case poolClosed
        /// The model gave no usable vector: not a number, or zero, or not as many as texts.
        case badVector
        /// The model would not take a text.
        case textRefused
        /// A model's name that cannot be read.
        case invalidModelName
        /// The service that embeds takes no more for now; `retryAfter` says when, if it said so.
        case quotaExhausted
        /// The service that embeds did not answer, or not as it should.
        case serviceFailed
        /// The service that embeds did not answer while somebody waited.
        case serviceTimedOut
        /// The service did not accept our key, or knows no such model.
        case serviceRefused
    }

    public let code: Code
    public let message: String
    public let hint: String?
    public let detail: String?
    /// When to come back, where the one who refused said so.
    public var retryAfter: Duration?

    package init(_ code: Code, _ message: String, hint: String? = nil, detail: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        self.detail = detail
    }

    public var kind: FailureKind {
        switch code {
        case .modelMissing, .modelUnsupported, .serviceRefused: .notConfigured
        case .modelDamaged, .badVector: .corrupt
        case .textTooLong: .tooLarge
        case .textRefused, .invalidModelName: .invalid
        case .busy, .quotaExhausted, .serviceFailed: .busy
        case .serviceTimedOut: .timedOut
        case .poolClosed: .cancelled
        }
    }

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}

extension EmbeddingsError {
    static let setupHint = "`scripts/setup model` fetches and checks it; --model-dir names another"

    package static func settingMissing(_ name: some CustomStringConvertible & Sendable, _ setting: String) -> Self {
        Self(.serviceRefused, "the embedding model \(name) can't be reached", hint: "set \(setting)")
    }

    static func modelMissing(_ what: String) -> Self {
        Self(.modelMissing, "the embedding model is missing: \(what)", hint: setupHint)
    }

    /// `file` is its name inside the model's directory, `problem` a clause such as "ends inside its header".
    static func modelDamaged(_ file: String, _ problem: String, detail: String? = nil) -> Self {
        Self(
            .modelDamaged,
            "the embedding model's \(file) is damaged: \(problem)",
            hint: "remove the model's directory and run `scripts/setup model`",
            detail: detail
        )
    }

    static func modelUnsupported(_ file: String, _ problem: String) -> Self {
        Self(
            .modelUnsupported,
            "this embedding model can't be used: \(file): \(problem)",
            hint: "use a sentence-transformers model of BERT type with safetensors weights"
        )
    }

    static func textTooLong(position: Int, limit: Int) -> Self {
        Self(
            .textTooLong,
            "text \(position) has more than \(limit) tokens",
            hint: "cut it into windows, or allow truncation"
        )
    }

    package static let questionTimedOut = Self(
        .serviceTimedOut,
        "the service that embeds did not answer in time",
        hint: "try again later, or search by words"
    )

    package static func textRefused(position: Int) -> Self {
        Self(.textRefused, "the model does not take text \(position)", hint: "an empty text has no meaning to find")
    }
}
