import Foundation
import VectorIndex

/// SplitMix64: the same numbers for the same seed everywhere.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// Roughly normal: a sum of four uniform numbers.
    mutating func normal() -> Float {
        var sum: Float = -2
        for _ in 0..<4 { sum += Float(next() >> 40) / Float(1 << 24) }
        return sum * 1.7
    }

    mutating func vector(_ dimension: Int) -> [Float] { (0..<dimension).map { _ in normal() } }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}

/// Vectors around random centres, row-major.
func clusteredVectors(_ count: Int, dimension: Int, clusters: Int, seed: UInt64) -> [Float] {
    var generator = SeededGenerator(seed)
    let centres = (0..<clusters).map { _ in generator.vector(dimension) }
    var values: [Float] = []
    values.reserveCapacity(count * dimension)
    for _ in 0..<count {
        let centre = centres[generator.below(clusters)]
        for position in 0..<dimension { values.append(centre[position] + 0.6 * generator.normal()) }
    }
    return values
}

func withTemporaryDirectory<T>(_ body: (String) throws -> T) throws -> T {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("vector-index-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: url) }  // Left to the system's own cleaning otherwise.
    return try body(url.path)
}

func parameters(
    _ dimension: Int,
    metric: Metric = .cosine,
    m: Int = 16,
    efConstruction: Int = 100,
    identity: String = "test"
) -> IndexParameters {
    IndexParameters(
        dimension: dimension,
        metric: metric,
        m: m,
        efConstruction: efConstruction,
        seed: 7,
        identity: identity
    )
}

/// The long runs of `check-slow`.
let isLongRun = ProcessInfo.processInfo.environment["PYAIRTABLE_LONG"] == "1"

/// What an index should answer, by the plainest means: a dictionary and a loop over it.
struct ModelIndex {
    var vectors: [UInt64: [Float]] = [:]
    let metric: Metric

    func score(_ query: [Float], _ vector: [Float]) -> Float {
        var dot = 0.0
        var queryNorm = 0.0
        var vectorNorm = 0.0
        var square = 0.0
        for (left, right) in zip(query, vector) {
            dot += Double(left) * Double(right)
            queryNorm += Double(left) * Double(left)
            vectorNorm += Double(right) * Double(right)
            square += (Double(left) - Double(right)) * (Double(left) - Double(right))
        }
        switch metric {
        case .cosine: return Float(dot / (queryNorm * vectorNorm).squareRoot())
        case .dot: return Float(dot)
        case .l2: return Float(-square)
        }
    }

    func search(_ query: [Float], k: Int, where isAllowed: (UInt64) -> Bool = { _ in true }) -> [Neighbor] {
        let all = vectors.filter { isAllowed($0.key) }
            .map { Neighbor(key: $0.key, score: score(query, $0.value)) }
        return Array(all.sorted { ($1.score, $0.key) < ($0.score, $1.key) }.prefix(k))
    }
}

/// The share of the true nearest that were found.
func recall(_ found: [[Neighbor]], _ truth: [[Neighbor]]) -> Double {
    let hits = zip(found, truth).reduce(0) { sum, pair in
        sum + Set(pair.0.map(\.key)).intersection(pair.1.map(\.key)).count
    }
    return Double(hits) / Double(truth.reduce(0) { $0 + $1.count })
}

/// True when both have the same keys in the same order and scores equal up to rounding.
func agree(_ found: [Neighbor], _ truth: [Neighbor], tolerance: Float = 1e-4) -> Bool {
    guard found.count == truth.count else { return false }
    let scale = max(1, truth.map { abs($0.score) }.max() ?? 1)
    for (left, right) in zip(found, truth) where abs(left.score - right.score) > tolerance * scale { return false }
    // Keys may change places only where the scores are as good as equal.
    for (left, right) in zip(found, truth) where left.key != right.key {
        guard let other = truth.first(where: { $0.key == left.key }) else {
            if abs(left.score - truth[truth.count - 1].score) <= tolerance * scale { continue }
            return false
        }
        if abs(other.score - right.score) > tolerance * scale { return false }
    }
    return true
}

func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

func write(_ bytes: [UInt8], to path: String) throws { try Data(bytes).write(to: URL(fileURLWithPath: path)) }

func files(in directory: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
}

func copyDirectory(_ source: String, to target: String) throws {
    try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
    for name in try files(in: source) {
        // A file may vanish between listing and copying, as it may before a crash.
        try? FileManager.default.copyItem(atPath: "\(source)/\(name)", toPath: "\(target)/\(name)")
    }
}

/// The code of the index error that a call throws; nil when it throws none.
func errorCode(_ body: () throws -> Void) throws -> VectorIndexError.Code? {
    do {
        try body()
        return nil
    } catch let error as VectorIndexError {
        return error.code
    }
}

/// Every key of an index with its nearest neighbour's score to itself, by exact search.
func contents(_ index: IndexReader, dimension: Int) throws -> [UInt64] {
    try index.search([Float](repeating: 1, count: dimension), k: max(index.count, 1), plan: .exact).map(\.key).sorted()
}
