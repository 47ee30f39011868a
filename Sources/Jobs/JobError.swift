public import Domain

/// Why a call on jobs failed. Equality is by code.
public struct JobError: Failure, Equatable {
    public enum Code: String, Sendable, Hashable, CaseIterable {
        case notFound
        /// The worker no longer holds the job: its lease ran out and another took it.
        case leaseLost
        /// Somebody cancelled the job that the worker holds.
        case cancelled
        /// A page's cursor that no page gave.
        case invalidCursor
        case corrupt
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var kind: FailureKind {
        switch code {
        case .notFound: .notFound
        case .leaseLost: .conflict
        case .cancelled: .cancelled
        case .invalidCursor: .invalid
        case .corrupt: .corrupt
        }
    }

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}

extension JobError {
    static let notFound = Self(.notFound, "There is no such job.")
    static let leaseLost = Self(.leaseLost, "Another worker has taken the job over.")
    static let cancelled = Self(.cancelled, "The job was cancelled.")
    static func corrupt(_ what: String) -> Self { Self(.corrupt, "A stored job is damaged: \(what).") }
}
