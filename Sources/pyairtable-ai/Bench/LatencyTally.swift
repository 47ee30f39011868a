/// Milliseconds counted by size, in memory that is there before the measurement: what a benchmark notes must not look like
/// what its subject needs.
struct LatencyTally: Sendable {
    private let step: Double
    /// Up to 40,000 steps; what is longer counts as that, but for `max`.
    private var counts = [UInt32](repeating: 0, count: 40_000)
    private(set) var count = 0
    private(set) var max = 0.0

    /// - Parameter step: milliseconds that are told apart.
    init(step: Double = 0.05) { self.step = step }

    mutating func add(_ milliseconds: Double) {
        counts[min(counts.count - 1, Int(Swift.max(0, milliseconds) / step))] += 1
        count += 1
        max = Swift.max(max, milliseconds)
    }

    /// To one step; 0 when nothing was counted.
    func quantile(_ share: Double) -> Double {
        let wanted = Int(Double(count) * share)
        var seen = 0
        for (position, number) in counts.enumerated() {
            seen += Int(number)
            if seen > wanted { return min(max, Double(position) * step) }
        }
        return max
    }
}
