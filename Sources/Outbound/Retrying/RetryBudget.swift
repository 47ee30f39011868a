import Synchronization

/// Keeps retries a small share of all calls, so that an upstream in trouble is not buried under them.
///
/// Over the last minute at most a tenth of the calls may be retries; a floor lets a quiet installation retry at all.
/// One budget for each upstream, shared by whoever calls it.
public final class RetryBudget: Sendable {
    private struct State {
        /// Calls and retries of each slice of the window, by the slice's number.
        var calls: [Int64: Int] = [:]
        var retries: [Int64: Int] = [:]
    }

    private let state = Mutex(State())
    private let share: Double
    private let floor: Int
    private let clock: OutboundClock
    private let origin: ContinuousClock.Instant

    private static let slice = Duration.seconds(10)
    private static let sliceCount: Int64 = 6

    /// - Parameters:
    ///   - share: of calls that may be retries.
    ///   - floor: retries a minute that are allowed however few calls there are.
    public init(share: Double = 0.1, floor: Int = 10, clock: OutboundClock = .continuous) {
        self.share = share
        self.floor = floor
        self.clock = clock
        origin = clock.now()
    }

    /// Notes a first attempt.
    public func noteCall() {
        let slice = currentSlice
        state.withLock { state in
            Self.forget(before: slice, &state)
            state.calls[slice, default: 0] += 1
        }
    }

    /// Takes one retry out of the budget; false when there is none left.
    public func takeRetry() -> Bool {
        let slice = currentSlice
        return state.withLock { state in
            Self.forget(before: slice, &state)
            let calls = state.calls.values.reduce(0, +)
            let retries = state.retries.values.reduce(0, +)
            guard retries < max(floor, Int(Double(calls) * share)) else { return false }
            state.retries[slice, default: 0] += 1
            return true
        }
    }

    private var currentSlice: Int64 { Int64((clock.now() - origin) / Self.slice) }

    private static func forget(before slice: Int64, _ state: inout State) {
        let oldest = slice - sliceCount
        state.calls = state.calls.filter { $0.key > oldest }
        state.retries = state.retries.filter { $0.key > oldest }
    }
}
