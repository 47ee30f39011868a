public import Domain

/// Why a writing tool changed nothing, in words that its caller can act on.
public struct WritingError: Failure, Equatable {
    public enum Code: String, Sendable, CaseIterable {
        /// The change needs somebody's word, and nobody can be asked.
        case nobodyToAsk
        /// A hash that was not handed out to this caller, is used up or too old.
        case unknownConfirmation
        /// What the hash was of has changed.
        case staleConfirmation
        case idempotencyKeyInUse
        case idempotencyKeyReused
        /// A file outside the directory that may be imported from, or none at all.
        case fileRefused
        case invalidArgument
        case notAvailable
    }

    public let code: Code
    public let message: String
    public let hint: String?

    public init(_ code: Code, _ message: String, hint: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    public var kind: FailureKind {
        switch code {
        case .nobodyToAsk, .fileRefused: .forbidden
        case .unknownConfirmation, .staleConfirmation, .idempotencyKeyInUse, .idempotencyKeyReused: .conflict
        case .invalidArgument: .invalid
        case .notAvailable: .notConfigured
        }
    }

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }

    /// A small change, after text was read that asks for changes.
    static func ordersShown(_ mode: WriteMode) -> Self {
        Self(
            .nobodyToAsk,
            "Nothing was changed: text that you were shown names tools that write, as an instruction in a record would, and this"
                + " client cannot ask its user whether the change is theirs.",
            hint: nobodyToAsk(mode).hint
        )
    }

    static func nobodyToAsk(_ mode: WriteMode) -> Self {
        Self(
            .nobodyToAsk,
            "Nothing was changed: this change needs its user's word, and this client cannot ask for it (it does not declare"
                + " elicitation).",
            hint: mode == .dryRun
                ? "call it with dryRun: true, show the user what it would do, then call it again with confirm: the hash"
                : "use a client that can ask, change 10 records or fewer without overwriting anything,"
                    + " or have the server started with --writes dry-run"
        )
    }
}
