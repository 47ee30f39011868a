import CBLAS
import Domain
import Foundation
import TestSupport
import Testing
import VectorIndex

/// The release binary's index on what the model makes of real texts.
@Suite("Index of real vectors")
struct RealVectorsTests {
    private static let isLong = ProcessInfo.processInfo.environment["PYAIRTABLE_LONG"] == "1"

    @Test("5,000 sentences: ten nearest by at most 2,500 distances a query, 98 % right; churned ten times as good")
    func sentences() async throws {
        let texts = try RealTexts.sentences()
        #expect(texts.count >= 5_200)
        try await check(texts.prefix(5_500), live: 5_000, queries: 200, evaluationsMax: 2_500)
    }

    @Test(
        "50,000 packages: ten nearest by at most 4,000 distances a query, 98 % right; churned ten times as good",
        .enabled(if: isLong)
    )
    func packages() async throws {
        let texts = try RealTexts.packages()
        #expect(texts.count >= 52_000)
        try await check(texts.prefix(60_000), live: 50_000, queries: 1_000, evaluationsMax: 4_000)
    }

    /// Builds an index of the first `live` vectors, asks for the last `queries`, and lets the rest take turns with
    /// the live ones.
    private func check(_ texts: ArraySlice<String>, live: Int, queries: Int, evaluationsMax: Double) async throws {
        try await withTemporaryDirectory { directory in
            func path(_ name: String) -> String { directory.appendingPathComponent(name).path }
            // Neighbours in the list are alike: mixed, so that queries are like no part of it more than another.
            var generator = SeededGenerator(seed: 1)
            let texts = texts.shuffled(using: &generator)
            let (train, test) = (path("train.npy"), path("test.npy"))
            let vectors = try await embed(texts, in: directory)
            let kept = texts.count - queries
            try vectors.write(0..<live, to: path("live.npy"))
            try vectors.write(0..<kept, to: train)
            try vectors.write(kept..<texts.count, to: test)

            let made = ["ann-bench", "build", "--metric", "cosine", "--m", "16", "--ef-construction", "200"]
            let built = try await Binary.run(
                made + ["--threads", "2", "--train", path("live.npy"), "--index", path("index")],
                timeout: 1_200
            )
            #expect(try built.json().last?["vectors"]?.intValue == live, "\(built.errors)")
            let asked = try await Binary.run(
                [
                    "ann-bench", "query", "--index", path("index"), "--test", test, "--ef", "160", "--ids-out",
                    path("ids"),
                ]
            )
            let point = try #require(try asked.json().last?["points"]?[0], "\(asked.errors)")
            #expect(try #require(point["dist_evals"]?.doubleValue) <= evaluationsMax)
            let found = try Self.ids(path("ids.160.ivecs"))
            #expect(vectors.recall(found, of: kept..<texts.count, among: live) >= 0.98)

            let churned = try await Binary.run(
                [
                    "ann-bench", "churn", "--train", train, "--test", test, "--live", "\(live)", "--times", "10",
                    "--ef", "160", "--index", path("churn"),
                ],
                timeout: 3_600
            )
            let report = try #require(try churned.json().last, "\(churned.errors)")
            #expect(report["live"]?.intValue == live)
            #expect(report["changes"]?.intValue == 10 * live)
            let after = try #require(report["points"]?[0])
            let (old, fresh) = (after["churned"]?.doubleValue, after["fresh"]?.doubleValue)
            #expect(try #require(old) >= #require(fresh) - 0.01, "\(report)")
            #expect(try #require(report["file_ratio"]?.doubleValue) <= 1.3, "\(report)")
            #expect(try #require(report["rss_ratio"]?.doubleValue) <= 1.3, "\(report)")
            // A walk may miss a row that all its neighbours dropped; a scan does not.
            #expect(try #require(report["reachable_share"]?.doubleValue) >= 0.9999, "\(report)")
        }
    }

    private func embed(_ texts: [String], in directory: URL) async throws -> UnitVectors {
        let (input, output) = (directory.appendingPathComponent("texts"), directory.appendingPathComponent("all.npy"))
        try Data((texts.joined(separator: "\n") + "\n").utf8).write(to: input)
        let result = try await Binary.run(["embed", "--input", input.path, "--output", output.path], timeout: 2_400)
        #expect(result.status == 0, "\(result.errors)")
        let array = try NPYFile.read(output.path)
        guard case .float32(let values) = array.values, array.shape.count == 2, array.shape[0] == texts.count else {
            throw TestSupportError("vectors of shape \(array.shape) for \(texts.count) texts")
        }
        return UnitVectors(values: values, columns: array.shape[1])
    }

    /// The rows of an `.ivecs` file: a count, then as many numbers.
    private static func ids(_ path: String) throws -> [[Int32]] {
        let numbers = try Data(contentsOf: URL(fileURLWithPath: path)).withUnsafeBytes {
            Array($0.bindMemory(to: Int32.self))
        }
        var rows: [[Int32]] = []
        var position = 0
        while position < numbers.count {
            let count = Int(numbers[position])
            rows.append(Array(numbers[position + 1..<position + 1 + count]))
            position += 1 + count
        }
        return rows
    }
}

/// Vectors of length 1, row after row.
private struct UnitVectors {
    let values: [Float]
    let columns: Int

    func write(_ rows: Range<Int>, to path: String) throws {
        let part = Array(values[rows.lowerBound * columns..<rows.upperBound * columns])
        try NPYFile.write(NPYArray(shape: [rows.count, columns], values: .float32(part)), to: path)
    }

    /// The share of the true ten nearest among the first `live` rows, by plain matrix products, that was found for
    /// each of `queries`.
    func recall(_ found: [[Int32]], of queries: Range<Int>, among live: Int) -> Double {
        guard found.count == queries.count else { return 0 }
        var scores = [Float](repeating: 0, count: live)
        var hits = 0
        for (query, ids) in zip(queries, found) {
            values.withUnsafeBufferPointer { all in
                guard let base = all.baseAddress else { return }
                let vector = base + query * columns
                cblas_sgemv(
                    CblasRowMajor,
                    CblasNoTrans,
                    Int32(live),
                    Int32(columns),
                    1,
                    base,
                    Int32(columns),
                    vector,
                    1,
                    0,
                    &scores,
                    1
                )
            }
            // As near as the tenth: rows of one score are as good as each other.
            let tenth = scores.sorted(by: >)[9]
            hits += Set(ids).count { scores[Int($0)] >= tenth - 1e-6 }
        }
        return Double(hits) / Double(10 * queries.count)
    }
}
