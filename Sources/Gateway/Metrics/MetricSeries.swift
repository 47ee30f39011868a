import CoreMetrics
import Synchronization

/// The values behind one name and one set of labels. Counting takes no lock longer than a few nanoseconds.
protocol MetricSeries: AnyObject, Sendable {
    func write(name: String, labels: MetricLabels, to text: inout String)
}

final class CounterSeries: MetricSeries, CounterHandler {
    private let value = Atomic<Int64>(0)

    func increment(by amount: Int64) { value.wrappingAdd(amount, ordering: .relaxed) }
    func reset() { value.store(0, ordering: .relaxed) }

    func write(name: String, labels: MetricLabels, to text: inout String) {
        text += "\(name)\(labels.text()) \(value.load(ordering: .relaxed))\n"
    }
}

final class RealCounterSeries: MetricSeries, FloatingPointCounterHandler {
    private let value = Mutex(0.0)

    func increment(by amount: Double) { value.withLock { $0 += amount } }
    func reset() { value.withLock { $0 = 0 } }

    func write(name: String, labels: MetricLabels, to text: inout String) {
        text += "\(name)\(labels.text()) \(MetricText.number(value.withLock { $0 }))\n"
    }
}

final class GaugeSeries: MetricSeries, MeterHandler, RecorderHandler {
    private let value = Mutex(0.0)

    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { self.value.withLock { $0 = value } }
    func increment(by amount: Double) { value.withLock { $0 += amount } }
    func decrement(by amount: Double) { value.withLock { $0 -= amount } }
    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }

    func write(name: String, labels: MetricLabels, to text: inout String) {
        text += "\(name)\(labels.text()) \(MetricText.number(value.withLock { $0 }))\n"
    }
}

/// A value that is asked for when the text is made.
final class ReadSeries: MetricSeries {
    private let read: @Sendable () -> Double

    init(read: @escaping @Sendable () -> Double) { self.read = read }

    func write(name: String, labels: MetricLabels, to text: inout String) {
        text += "\(name)\(labels.text()) \(MetricText.number(read()))\n"
    }
}

final class HistogramSeries: MetricSeries, RecorderHandler, TimerHandler {
    /// From half a millisecond to the longest a request may take.
    static let seconds = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
    /// Counts and sizes.
    static let amounts = [1.0, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 10_000, 100_000, 1_000_000]

    private struct State: Sendable {
        /// One more than bounds: the last is all that is larger.
        var counts: [UInt64]
        var sum = 0.0
    }

    /// Upper ends, included, rising.
    private let bounds: [Double]
    private let state: Mutex<State>

    init(bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(State(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        // What is not a number would spoil the sum for good.
        guard value.isFinite else { return }
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock { state in
            state.counts[bucket] += 1
            state.sum += value
        }
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

    func write(name: String, labels: MetricLabels, to text: inout String) {
        let state = state.withLock { $0 }
        var cumulative: UInt64 = 0
        for (bound, count) in zip(bounds + [.infinity], state.counts) {
            cumulative += count
            let end = "le=\"\(MetricText.number(bound))\""
            text += "\(name)_bucket\(labels.text(and: end)) \(cumulative)\n"
        }
        text += "\(name)_sum\(labels.text()) \(MetricText.number(state.sum))\n"
        text += "\(name)_count\(labels.text()) \(cumulative)\n"
    }
}
