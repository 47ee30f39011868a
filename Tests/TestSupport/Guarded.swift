import Synchronization

/// A value that several tasks of a test may look at and change.
public final class Guarded<Value: Sendable>: Sendable {
    private let state: Mutex<Value>

    public init(_ value: Value) { state = Mutex(value) }

    public var value: Value {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }

    /// Changes the value in one go.
    public func update(_ change: (inout Value) -> Void) { state.withLock { change(&$0) } }
}
