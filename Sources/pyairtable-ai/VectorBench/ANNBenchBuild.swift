import ArgumentParser
import Foundation
import VectorIndex

struct ANNBenchBuild: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "build", abstract: "Build an index.")

    @Option(help: "Vectors, .npy of float32 [n, d].") var train: String
    @Option var metric = ANNBenchMetric.cosine
    @Option var m = 16
    @Option var efConstruction = 200
    @Option var threads = 1
    @Option(help: "A directory, made when it is not there.") var index: String
    @Option(name: .customLong("opt"), help: "key=value") var options: [String] = []

    private struct Report: Encodable {
        let buildSeconds: Double
        let vectors: Int
        let dimension: Int
        let residentBytes: Int
        let fileBytes: Int

        enum CodingKeys: String, CodingKey {
            case buildSeconds = "build_s"
            case vectors
            case dimension = "dim"
            case residentBytes = "rss_bytes"
            case fileBytes = "file_bytes"
        }
    }

    func run() throws {
        let options = try ANNBenchOptions(options)
        let (values, rows, columns) = try ANNBenchProcess.vectors(train)
        let parameters = IndexParameters(
            dimension: columns,
            metric: metric.metric,
            m: m,
            efConstruction: efConstruction,
            identity: "ann-bench"
        )
        let writer = try IndexWriter.open(
            directory: index,
            parameters: parameters,
            options: IndexOptions(residency: options.residency)
        )
        guard writer.count == 0 else { throw ValidationError("\(index) already holds an index") }
        let taken = try ContinuousClock().measure {
            try writer.upsert(keys: (0..<UInt64(rows)).map { $0 }, vectors: values, threads: threads)
            try writer.checkpoint()
        }
        let statistics = writer.statistics
        try ANNBenchProcess.writeLine(
            Report(
                buildSeconds: taken.inSeconds,
                vectors: rows,
                dimension: columns,
                residentBytes: ANNBenchProcess.residentBytes(),
                fileBytes: statistics.checkpointBytes + statistics.tailBytes
            )
        )
    }
}
