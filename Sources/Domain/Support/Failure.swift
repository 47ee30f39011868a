/// Whose fault a failure is, and so what a caller may do about it.
///
/// The closed vocabulary that every edge translates once: to an HTTP status, a JSON-RPC error or tool
/// result, an exit code. A module's own `Code` is finer and is what its tests compare.
public enum FailureKind: String, Sendable, CaseIterable {
    /// The caller sent something that can never work as it is.
    case invalid
    /// The caller did not say who they are, or not convincingly.
    case unauthenticated
    /// Known caller, but they may not.
    case forbidden
    /// It does not exist, or the caller may not know that it does.
    case notFound
    /// It clashes with what is there; reading again may help.
    case conflict
    /// Larger or deeper than a stated bound.
    case tooLarge
    /// A setting, model or library is missing; the hint names the command that mends it.
    case notConfigured
    /// Nobody's fault: try again later.
    case busy
    /// The deadline passed.
    case timedOut
    /// The caller went away.
    case cancelled
    /// Stored data is damaged, or written by a newer program.
    case corrupt
    /// Our own fault.
    case `internal`
}

/// An error that may cross a module's door: a closed code, a message safe to show, a private detail.
///
/// `message` and `hint` may reach any caller, so they hold no secret, cell content or SQL argument; `detail`
/// goes to the log only. Say which input, what was expected, and what to do next.
public protocol Failure: Error, Sendable, CustomStringConvertible {
    associatedtype Code: RawRepresentable, Hashable, Sendable where Code.RawValue == String

    var code: Code { get }
    var kind: FailureKind { get }
    var message: String { get }
    /// What to do next, such as a command; nil when the message says it all.
    var hint: String? { get }
    /// For the log only.
    var detail: String? { get }
}

extension Failure {
    public var hint: String? { nil }
    public var detail: String? { nil }
    public var description: String { hint.map { "\(message) (\($0))" } ?? message }
}
