import CBLAS
import CKernels

/// Compares queries with every one of some slots: the exact twin of the graph.
///
/// One query runs through the rows kernel, which fetches rows ahead from wherever they lie. GEMV measured slower
/// (10,000 × 384: 105 ns a row in order against 68, 200 ns a scattered row, which it wants gathered first, against
/// 157; equal in the cache). Several queries share each block of rows through GEMM, which is bound by arithmetic;
/// what GEMM lets pass is then scored by the kernel again, so that a score never depends on how it was found.
struct ExactScan {
    let graph: Graph
    let rows: Rows

    /// What is scanned: slots and their keys at one moment. A slot keeps its vector while the graph's gate is
    /// held, but its key may become another's with the same vector.
    struct Rows {
        var slots: [UInt32] = []
        var keys: [UInt64] = []

        var count: Int { slots.count }

        init(_ slots: [UInt32], _ view: GraphView) {
            self.slots = slots
            keys = slots.map(view.key)
        }
    }

    private var slots: [UInt32] { rows.slots }

    private static let blockRows = 512
    private static let groupQueries = 64
    /// From so many queries on, GEMM repays the gathering of rows.
    static let batchMin = 4

    /// - Returns: the best `k`, nearest first, lower keys first among equals.
    func run(query: UnsafePointer<Float>, k: Int) -> [Neighbor] {
        var top = TopResults(k: k)
        let view = graph.view
        withUnsafeTemporaryAllocation(of: Float.self, capacity: Self.blockRows) { distances in
            slots.withUnsafeBufferPointer { slots in
                var start = 0
                while start < slots.count {
                    let block = UnsafeBufferPointer(rebasing: slots[start..<min(start + Self.blockRows, slots.count)])
                    graph.space.rows(
                        query,
                        graph.space.dimension,
                        view.rowChunks,
                        ChunkedMemory.slotShift,
                        view.stride,
                        block.baseAddress!,
                        block.count,
                        distances.baseAddress!
                    )
                    for position in 0..<block.count where distances[position] <= top.bound {
                        top.offer(distance: distances[position], key: rows.keys[start + position])
                    }
                    start += block.count
                }
            }
        }
        return top.sorted()
    }

    /// The same for several queries, `stride` floats each, one after the other.
    func run(queries: UnsafePointer<Float>, count: Int, k: Int) -> [[Neighbor]] {
        guard count >= Self.batchMin else {
            return (0..<count).map { run(query: queries + $0 * graph.space.stride, k: k) }
        }
        var results: [[Neighbor]] = []
        for first in stride(from: 0, to: count, by: Self.groupQueries) {
            let group = min(Self.groupQueries, count - first)
            results += multiply(queries + first * graph.space.stride, count: group, k: k)
        }
        return results
    }

    private func multiply(_ queries: UnsafePointer<Float>, count: Int, k: Int) -> [[Neighbor]] {
        let width = graph.space.stride
        var shortlists = (0..<count).map { position in
            Shortlist(graph: graph, rows: rows, query: queries + position * width, k: k)
        }
        let block = UnsafeMutablePointer<Float>.allocate(capacity: Self.blockRows * width)
        let products = UnsafeMutablePointer<Float>.allocate(capacity: count * Self.blockRows)
        let squares = UnsafeMutablePointer<Float>.allocate(capacity: Self.blockRows)
        defer {
            block.deallocate()
            products.deallocate()
            squares.deallocate()
        }
        var start = 0
        while start < slots.count {
            let height = min(Self.blockRows, slots.count - start)
            let source = gather(start, height, into: block)
            measureSquares(source, height, into: squares)
            cblas_sgemm(
                CblasRowMajor,
                CblasNoTrans,
                CblasTrans,
                Int32(count),
                Int32(height),
                Int32(graph.space.dimension),
                -1,
                queries,
                Int32(width),
                source,
                Int32(width),
                0,
                products,
                Int32(height)
            )
            for position in 0..<count {
                shortlists[position].offer(
                    products + position * height,
                    squares: squares,
                    range: start..<start + height
                )
            }
            start += height
        }
        return shortlists.indices.map { shortlists[$0].finish() }
    }

    /// The rows themselves when they lie side by side, else a copy.
    private func gather(_ start: Int, _ rows: Int, into block: UnsafeMutablePointer<Float>) -> UnsafePointer<Float> {
        let view = graph.view
        let first = slots[start]
        let last = slots[start + rows - 1]
        let isRun =
            Int(last) - Int(first) == rows - 1 && first >> ChunkedMemory.slotShift == last >> ChunkedMemory.slotShift
            && (start + 1..<start + rows).allSatisfy { slots[$0] == slots[$0 - 1] + 1 }
        if isRun { return UnsafePointer(view.vector(first)) }
        for row in 0..<rows {
            if row + 1 < rows { ck_prefetch(view.vector(slots[start + row + 1])) }
            (block + row * view.stride).update(from: view.vector(slots[start + row]), count: view.stride)
        }
        return UnsafePointer(block)
    }

    private func measureSquares(_ rows: UnsafePointer<Float>, _ count: Int, into squares: UnsafeMutablePointer<Float>) {
        if graph.space.metric == .cosine {
            squares.update(repeating: 1, count: count)
            return
        }
        let dot = ck_distance_best().pointee.negated_dot
        for row in 0..<count {
            let at = rows + row * graph.space.stride
            squares[row] = -dot(at, at, graph.space.dimension)
        }
    }
}

/// Candidates for the best `k` of one query, by products that may be wrong in the last digits.
///
/// Keeps whatever may still be among the best within the error bound, and settles by the kernel's own
/// distances: at the end, and whenever too many wait.
private struct Shortlist {
    let graph: Graph
    let rows: ExactScan.Rows
    let query: UnsafePointer<Float>
    let k: Int
    private let querySquare: Float
    /// Distances as multiplied, and where among the rows.
    private var waiting: [(distance: Float, position: Int)] = []
    private var squareMax: Float = 0
    /// Nothing above this can be among the best.
    private var bound = Float.infinity

    init(graph: Graph, rows: ExactScan.Rows, query: UnsafePointer<Float>, k: Int) {
        self.graph = graph
        self.rows = rows
        self.query = query
        self.k = k
        querySquare = -ck_distance_best().pointee.negated_dot(query, query, graph.space.dimension)
    }

    private var capacity: Int { 2 * k + 256 }

    /// Twice the worst rounding error of a sum of `dimension` products, of GEMM and of the kernel.
    private var tolerance: Float {
        let scale: Float
        switch graph.space.metric {
        case .cosine: scale = 1
        case .dot: scale = (querySquare * squareMax).squareRoot()
        case .l2: scale = 2 * (querySquare + squareMax)
        }
        return 2 * Float(graph.space.dimension + 2) * 0x1p-24 * scale
    }

    mutating func offer(_ products: UnsafePointer<Float>, squares: UnsafePointer<Float>, range: Range<Int>) {
        let isEuclidean = graph.space.metric == .l2
        if graph.space.metric != .cosine {
            for row in 0..<range.count { squareMax = max(squareMax, squares[row]) }
        }
        for row in 0..<range.count {
            let distance = isEuclidean ? querySquare + squares[row] + 2 * products[row] : products[row]
            guard distance <= bound else { continue }
            waiting.append((distance, range.lowerBound + row))
            if waiting.count >= capacity { cut() }
        }
    }

    private mutating func cut() {
        waiting.sort { $0.distance < $1.distance }
        bound = min(bound, waiting[k - 1].distance + tolerance)
        let bound = bound
        if let end = waiting.firstIndex(where: { $0.distance > bound }) { waiting.removeSubrange(end...) }
        guard waiting.count > capacity / 2 + k / 2 else { return }
        // So many equally near ones: only exact distances and keys can tell them apart.
        let settled = waiting.map { item in
            (exact: measure(item.position), key: rows.keys[item.position], item: item)
        }.sorted { $0.exact != $1.exact ? $0.exact < $1.exact : $0.key < $1.key }
        waiting = settled.prefix(k).map(\.item)
    }

    private func measure(_ position: Int) -> Float {
        graph.space.pair(query, graph.view.vector(rows.slots[position]), graph.space.dimension)
    }

    mutating func finish() -> [Neighbor] {
        var top = TopResults(k: k)
        for item in waiting { top.offer(distance: measure(item.position), key: rows.keys[item.position]) }
        return top.sorted()
    }
}
