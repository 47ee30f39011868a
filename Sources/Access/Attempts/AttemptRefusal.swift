public import Domain

/// Too many attempts: the same answer whether or not what was tried exists.
public struct AttemptRefusal: Failure, Equatable {
    public enum Code: String, Sendable { case tooManyAttempts }

    /// How long to wait before the next one.
    public let wait: Duration
    public var code: Code { .tooManyAttempts }
    public var kind: FailureKind { .busy }
    public var message: String { "Too many attempts." }
    public var hint: String? { "try again in \(seconds) s" }

    /// `wait` in whole seconds, upwards.
    public var seconds: Int { Int((wait.microseconds + 999_999) / 1_000_000) }
}
