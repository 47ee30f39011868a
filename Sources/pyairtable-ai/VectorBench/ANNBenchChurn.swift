import ArgumentParser
import Foundation
import VectorIndex

/// Replaces the rows of an index many times over and compares it with a fresh build of what is left.
struct ANNBenchChurn: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "churn",
        abstract: "Measure recall, files and memory after many changes."
    )

    @Option(help: "Vectors, .npy of float32 [n, d].") var train: String
    @Option(help: "Queries, .npy of float32 [q, d].") var test: String
    @Option var metric = ANNBenchMetric.cosine
    @Option(help: "Rows in the index at any time; 0: half of the vectors.") var live = 0
    @Option(help: "Changes in multiples of the rows.") var times = 10
    @Option(help: "Comma-separated.") var ef = "64,160"
    @Option(help: "A directory, made when it is not there.") var index: String

    private struct Report: Encodable {
        var live = 0
        var changes = 0
        var changesPerSecond = 0.0
        var points: [Point] = []
        var fileRatio = 0.0
        var residentRatio = 0.0
        var slotRatio = 0.0
        var reachableShare = 0.0

        enum CodingKeys: String, CodingKey {
            case live
            case changes
            case changesPerSecond = "changes_per_s"
            case points
            case fileRatio = "file_ratio"
            case residentRatio = "rss_ratio"
            case slotRatio = "slot_ratio"
            case reachableShare = "reachable_share"
        }
    }

    private struct Point: Encodable {
        let ef: Int
        let churned: Double
        let fresh: Double
    }

    /// SplitMix64: the same changes every time.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    func run() throws {
        let widths = ef.split(separator: ",").compactMap { Int($0) }
        var rows = Rows(try ANNBenchProcess.vectors(train), live: live)
        let parameters = IndexParameters(dimension: rows.columns, metric: metric.metric, identity: "ann-bench")

        let churned = try IndexWriter.open(directory: index + "/churned", parameters: parameters)
        let residentBefore = ANNBenchProcess.residentBytes()
        try churned.upsert(keys: rows.keys, vectors: rows.heldVectors, threads: 2)
        try churned.checkpoint()
        let start = churned.statistics
        let residentFresh = ANNBenchProcess.residentBytes() - residentBefore

        var report = Report()
        report.live = rows.live
        report.changes = times * rows.live
        let taken = try ContinuousClock().measure { try rows.change(churned, count: report.changes) }
        report.changesPerSecond = Double(report.changes) / taken.inSeconds
        let end = churned.statistics
        report.residentRatio = Double(ANNBenchProcess.residentBytes() - residentBefore) / Double(residentFresh)
        report.slotRatio = Double(end.slotCount) / Double(start.slotCount)
        report.fileRatio =
            Double(end.checkpointBytes + end.tailBytes) / Double(start.checkpointBytes + start.tailBytes)
        report.reachableShare = try IndexVerifier.verify(directory: index + "/churned").reachableShare

        let fresh = try IndexWriter.open(directory: index + "/fresh", parameters: parameters)
        try fresh.upsert(keys: rows.keys, vectors: rows.heldVectors, threads: 2)
        let queries = try ANNBenchProcess.vectors(test).values
        let truth = try fresh.search(batch: queries, k: 10, plan: .exact)
        for width in widths {
            report.points.append(
                Point(
                    ef: width,
                    churned: try recall(churned, queries, width, truth),
                    fresh: try recall(fresh, queries, width, truth)
                )
            )
        }
        try ANNBenchProcess.writeLine(report)
    }

    private func recall(
        _ writer: IndexWriter,
        _ queries: [Float],
        _ width: Int,
        _ truth: [[Neighbor]]
    ) throws -> Double {
        let found = try writer.search(batch: queries, k: 10, ef: width, plan: .graph)
        let hits = zip(found, truth).reduce(0) { sum, pair in
            sum + Set(pair.0.map(\.key)).intersection(pair.1.map(\.key)).count
        }
        return Double(hits) / Double(10 * truth.count)
    }

    /// Rows in the index, each under its key, and rows outside, which take turns.
    private struct Rows {
        let columns: Int
        let live: Int
        private(set) var keys: [UInt64]
        private let values: [Float]
        private var held: [Int]
        private var spare: [Int]
        private var nextKey: UInt64
        private var generator = Generator(state: 1)

        init(_ vectors: (values: [Float], rows: Int, columns: Int), live: Int) {
            values = vectors.values
            columns = vectors.columns
            // Some rows must be outside to take turns.
            self.live = live > 0 ? min(live, vectors.rows - 1) : vectors.rows / 2
            keys = (0..<self.live).map(UInt64.init)
            held = Array(0..<self.live)
            spare = Array(self.live..<vectors.rows)
            nextKey = UInt64(vectors.rows)
        }

        var heldVectors: [Float] { held.flatMap(vector) }

        private func vector(_ row: Int) -> ArraySlice<Float> { values[row * columns..<(row + 1) * columns] }

        /// Every other change gives a key another vector; the rest take a key out and bring a new one.
        mutating func change(_ writer: IndexWriter, count: Int) throws {
            for change in 0..<count {
                let place = Int(generator.next(upperBound: UInt64(live)))
                let other = Int(generator.next(upperBound: UInt64(spare.count)))
                if change % 2 == 0 {
                    try writer.delete(keys[place])
                    keys[place] = nextKey
                    nextKey += 1
                }
                try writer.upsert(keys[place], Array(vector(spare[other])))
                swap(&held[place], &spare[other])
                if change % 256 == 255 { try writer.flush() }
            }
            try writer.flush()
        }
    }
}
