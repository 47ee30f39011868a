public import CoreMetrics
import Domain
import Synchronization

/// Every metric of the process, and their text for Prometheus.
///
/// A `MetricsFactory`: give it to `MetricsSystem.bootstrap`, or to single metrics as their factory. Counters end in
/// `_total`, timers become histograms of seconds, recorders histograms or, when they do not aggregate, gauges.
/// A metric has at most `Limits.metricSeries` label sets; what comes after is counted together, with `overflow` for
/// every label value.
public final class PrometheusRegistry: MetricsFactory, Sendable {
    private struct Family: Sendable {
        let kind: MetricKind
        var help: String?
        var series: [MetricLabels: any MetricSeries] = [:]
    }

    private let families = Mutex<[String: Family]>([:])
    private let seriesLimit: Int

    public init() { seriesLimit = Limits.metricSeries }

    init(seriesLimit: Int) { self.seriesLimit = seriesLimit }

    /// Says what a metric means, in its text.
    public func describe(_ name: String, _ help: String) {
        families.withLock { $0[name]?.help = help }
    }

    /// Adds a gauge that is read when the metrics are asked for. `read` must be quick.
    public func addGauge(
        _ name: String,
        _ help: String,
        labels: [(String, String)] = [],
        read: @escaping @Sendable () -> Double
    ) {
        _ = series(name, labels, .gauge) { ReadSeries(read: read) }
        describe(MetricText.name(name), help)
    }

    /// Adds a counter that is read when the metrics are asked for. `read` must be quick, and never give less.
    public func addCounter(
        _ name: String,
        _ help: String,
        labels: [(String, String)] = [],
        read: @escaping @Sendable () -> Double
    ) {
        _ = series(name, labels, .counter) { ReadSeries(read: read) }
        describe(MetricText.name(name), help)
    }

    /// The text format of Prometheus, version 0.0.4: families by name, each with its series by labels.
    public func text() -> String {
        // Copied out, so that reading gauges and writing text hold up nobody who counts.
        let families = families.withLock { $0 }
        var text = ""
        for (name, family) in families.sorted(by: { $0.key < $1.key }) where !family.series.isEmpty {
            if let help = family.help { text += "# HELP \(name) \(MetricText.escaped(help))\n" }
            text += "# TYPE \(name) \(family.kind.rawValue)\n"
            for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
                series.write(name: name, labels: labels, to: &text)
            }
        }
        return text
    }

    // MARK: MetricsFactory

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(MetricText.name(label, suffix: "_total"), dimensions, .counter) { CounterSeries() }
    }

    public func makeFloatingPointCounter(
        label: String,
        dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        series(MetricText.name(label, suffix: "_total"), dimensions, .counter) { RealCounterSeries() }
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, dimensions, .gauge) { GaugeSeries() }
    }

    public func makeRecorder(
        label: String,
        dimensions: [(String, String)],
        aggregate: Bool
    ) -> any RecorderHandler {
        aggregate
            ? series(label, dimensions, .histogram) { HistogramSeries(bounds: HistogramSeries.amounts) }
            : series(label, dimensions, .gauge) { GaugeSeries() }
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(MetricText.name(label, suffix: "_seconds"), dimensions, .histogram) {
            HistogramSeries(bounds: HistogramSeries.seconds)
        }
    }

    public func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }
    public func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
    public func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
    public func destroyTimer(_ handler: any TimerHandler) { remove(handler) }

    // MARK: Series

    /// The series of this name and these labels, made when there is none.
    ///
    /// A second metric of the same name and another kind gets a series of its own that nobody sees: a library's
    /// mistake must not end the process.
    private func series<Series: MetricSeries>(
        _ label: String,
        _ dimensions: [(String, String)],
        _ kind: MetricKind,
        _ make: () -> Series
    ) -> Series {
        let name = MetricText.name(label)
        let labels = MetricLabels(dimensions)
        return families.withLock { families in
            var family = families[name] ?? Family(kind: kind)
            guard family.kind == kind else { return make() }
            let isNew = family.series[labels] == nil
            let key = isNew && family.series.count >= seriesLimit ? labels.overflowed : labels
            if let existing = family.series[key] { return existing as? Series ?? make() }
            let made = make()
            family.series[key] = made
            families[name] = family
            return made
        }
    }

    private func remove(_ handler: AnyObject) {
        families.withLock { families in
            for (name, family) in families {
                guard let labels = family.series.first(where: { $0.value === handler })?.key else { continue }
                families[name]?.series[labels] = nil
            }
        }
    }
}

enum MetricKind: String, Sendable, Hashable {
    case counter, gauge, histogram
}
