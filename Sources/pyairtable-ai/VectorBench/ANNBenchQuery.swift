import ArgumentParser
import Foundation
import VectorIndex

struct ANNBenchQuery: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "query", abstract: "Query an index.")

    @Option var index: String
    @Option(help: "Queries, .npy of float32 [q, d].") var test: String
    @Option var k = 10
    @Option(help: "Comma-separated.") var ef: String
    @Option var threads = 1
    @Option(help: "Ids go to PREFIX.<ef>.ivecs.") var idsOut: String
    @Option(help: "A number for each vector, .npy of int32 or int64.") var filterAttr: String?
    @Option(help: "Only vectors whose number is below this.") var filterLt: Int?
    @Option(name: .customLong("opt"), help: "key=value") var options: [String] = []

    private struct Report: Encodable {
        var loadSeconds: Double
        var firstQuerySeconds: Double
        var residentBytes = 0
        var points: [Point] = []

        enum CodingKeys: String, CodingKey {
            case loadSeconds = "load_s"
            case firstQuerySeconds = "first_query_s"
            case residentBytes = "rss_bytes"
            case points
        }
    }

    private struct Point: Encodable {
        let ef: Int
        let queriesPerSecond: Double
        let medianMicroseconds: Double
        let p99Microseconds: Double
        let batchQueriesPerSecond: Double
        let evaluations: Double

        enum CodingKeys: String, CodingKey {
            case ef
            case queriesPerSecond = "qps"
            case medianMicroseconds = "p50_us"
            case p99Microseconds = "p99_us"
            case batchQueriesPerSecond = "batch_qps"
            case evaluations = "dist_evals"
        }
    }

    func validate() throws {
        guard (filterAttr == nil) == (filterLt == nil) else {
            throw ValidationError("--filter-attr and --filter-lt go together")
        }
        guard threads == 1 else { throw ValidationError("queries run on one thread") }
    }

    func run() throws {
        let options = try ANNBenchOptions(options)
        let widths = try ef.split(separator: ",").map { text in
            guard let width = Int(text) else { throw ValidationError("--ef takes numbers, not \(text)") }
            return width
        }
        let (values, count, columns) = try ANNBenchProcess.vectors(test)
        let queries = (0..<count).map { Array(values[$0 * columns..<($0 + 1) * columns]) }
        let clock = ContinuousClock()
        let opening = clock.now
        let reader = try IndexReader.open(
            directory: index,
            identity: "ann-bench",
            options: IndexOptions(residency: options.residency)
        )
        let opened = clock.now
        let bench = Bench(
            reader: reader,
            queries: queries,
            batch: values,
            k: k,
            allowed: try allowed(),
            // A filter is for the planner to judge; without one it is the graph that is measured.
            plan: filterLt == nil ? .graph : .automatic
        )
        let first = try clock.measure { _ = try bench.search(queries[0], ef: widths.first ?? k) }
        var report = Report(loadSeconds: (opened - opening).inSeconds, firstQuerySeconds: first.inSeconds)
        for width in widths { report.points.append(try bench.point(ef: width, idsPath: "\(idsOut).\(width).ivecs")) }
        report.residentBytes = ANNBenchProcess.residentBytes()
        try ANNBenchProcess.writeLine(report)
    }

    private func allowed() throws -> AllowedKeys {
        guard let filterAttr, let filterLt else { return .all }
        let array = try NPYFile.read(filterAttr)
        let numbers: [Int] =
            switch array.values {
            case .int32(let values): values.map(Int.init)
            case .int64(let values): values.map(Int.init)
            case .float32: throw ValidationError("\(filterAttr) must hold integers")
            }
        return .keys(KeySet(numbers.indices.filter { numbers[$0] < filterLt }.map(UInt64.init)))
    }

    private struct Bench {
        let reader: IndexReader
        let queries: [[Float]]
        let batch: [Float]
        let k: Int
        let allowed: AllowedKeys
        let plan: SearchPlan

        func search(_ query: [Float], ef: Int) throws -> [Neighbor] {
            try reader.search(query, k: k, ef: max(ef, k), allowed: allowed, plan: plan)
        }

        func point(ef: Int, idsPath: String) throws -> Point {
            // The untimed pass also gives the ids and counts the distances.
            var statistics = SearchStatistics()
            var ids = Data(capacity: queries.count * (k + 1) * 4)
            for query in queries {
                let found = try reader.search(
                    query,
                    k: k,
                    ef: max(ef, k),
                    allowed: allowed,
                    plan: plan,
                    statistics: &statistics
                )
                let row = [Int32(k)] + found.map { Int32($0.key) } + [Int32](repeating: -1, count: k - found.count)
                row.withUnsafeBytes { ids.append(contentsOf: $0) }
            }
            try ids.write(to: URL(fileURLWithPath: idsPath))
            let clock = ContinuousClock()
            var times: [Double] = []
            times.reserveCapacity(queries.count)
            for query in queries {
                let start = clock.now
                _ = try search(query, ef: ef)
                times.append((clock.now - start).inSeconds)
            }
            let together = try clock.measure {
                _ = try reader.search(batch: batch, k: k, ef: max(ef, k), allowed: allowed, plan: plan)
            }
            let total = times.reduce(0, +)
            times.sort()
            return Point(
                ef: ef,
                queriesPerSecond: Double(times.count) / total,
                medianMicroseconds: times[times.count / 2] * 1e6,
                p99Microseconds: times[min(times.count - 1, times.count * 99 / 100)] * 1e6,
                batchQueriesPerSecond: Double(times.count) / together.inSeconds,
                evaluations: Double(statistics.distanceEvaluations) / Double(queries.count)
            )
        }
    }
}
