import Synchronization

/// What a provider has counted of one call so far.
///
/// A stream that is cancelled or torn gives no reply and so no usage. Providers whose frames count as they go report
/// here, over all hops and attempts; the ledger settles what was reported last.
public final class UsageMeter: Sendable {
    private let state = Mutex<TokenUsage?>(nil)

    public init() {}

    /// - Parameter usage: of the whole call so far, not of the last frame.
    public func report(_ usage: TokenUsage) { state.withLock { $0 = usage } }

    /// Nil when the provider never reported.
    public var reported: TokenUsage? { state.withLock { $0 } }
}
