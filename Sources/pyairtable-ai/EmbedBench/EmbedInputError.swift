import Domain

/// What can be wrong with the files that `embed` and `embed-bench` read and write.
struct EmbedInputError: Failure, Equatable {
    enum Code: String, Sendable, CaseIterable {
        case inputMissing
        case invalidUTF8
        case invalidJSON
        case lineTooLong
        case noTexts
        case outputFailed
    }

    let code: Code
    let message: String
    let hint: String?

    init(_ code: Code, _ message: String, hint: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    var kind: FailureKind {
        switch code {
        case .inputMissing: .notFound
        case .invalidUTF8, .invalidJSON, .noTexts: .invalid
        case .lineTooLong: .tooLarge
        case .outputFailed: .internal
        }
    }

    static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}
