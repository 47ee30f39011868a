import CKernels
import TestSupport
import Testing

/// Every kernel set that this processor runs, against the plain one.
@Suite("Encoder kernels")
struct KernelTests {
    struct KernelSet: Sendable, CustomTestStringConvertible {
        nonisolated(unsafe) let table: UnsafePointer<encoder_kernels>
        var testDescription: String { String(cString: table.pointee.name) }
        var kernels: encoder_kernels { table.pointee }
    }

    static let sets: [KernelSet] = {
        var list = [UnsafePointer<encoder_kernels>](repeating: encoder_kernels_scalar(), count: 8)
        let count = encoder_kernels_available(&list, list.count)
        return list[..<count].map { KernelSet(table: $0) }
    }()

    static var scalar: encoder_kernels { encoder_kernels_scalar().pointee }
    static let widths = [1, 3, 4, 5, 8, 15, 16, 17, 31, 33, 48, 63, 100, 384]

    // `#expect` can't take a key path for a function.
    private func areFinite(_ values: some Sequence<Float>) -> Bool { values.allSatisfy { $0.isFinite } }
    private func areNaN(_ values: some Sequence<Float>) -> Bool { values.allSatisfy { $0.isNaN } }

    /// Random values, the last `rows × width` of a longer array, so that they begin at any multiple of 4 bytes.
    private func random(_ count: Int, seed: Int, _ scale: Float = 2) -> [Float] {
        var generator = SeededGenerator(seed: UInt64(seed) &+ testSeed)
        return (0..<count).map { _ in Float.random(in: -scale...scale, using: &generator) }
    }

    /// Runs `body` with a copy of `values` that starts 4 bytes behind an alignment of 64.
    private func unaligned(_ values: [Float], _ body: (UnsafeMutablePointer<Float>) -> Void) -> [Float] {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 4 * values.count + 64, alignment: 64)
        defer { memory.deallocate() }
        let floats = (memory.baseAddress! + 4).bindMemory(to: Float.self, capacity: values.count)
        floats.initialize(from: values, count: values.count)
        body(floats)
        return Array(UnsafeBufferPointer(start: floats, count: values.count))
    }

    @Test("the best set comes first and the plain one last")
    func order() {
        #expect(Self.sets.last?.testDescription == "scalar")
        #expect(Self.sets.first?.table == encoder_kernels_best())
        #expect(Self.sets.count >= 2)
    }

    @Test("layer norm of word and position", arguments: sets)
    func embedRows(set: KernelSet) {
        for width in Self.widths {
            let (words, places) = (random(9 * width, seed: 1), random(4 * width, seed: 2))
            let (gamma, beta) = (random(width, seed: 3), random(width, seed: 4))
            let ids: [Int32] = [8, 0, 3, 3]
            func run(_ kernels: encoder_kernels) -> [Float] {
                unaligned([Float](repeating: 0, count: 4 * width)) {
                    kernels.embed_rows($0, words, places, ids, gamma, beta, 4, width, 1e-12)
                }
            }
            // A width of 1 has no variance: only its bias remains.
            #expect(maxDifference(run(set.kernels), run(Self.scalar)) <= 4e-6, "width \(width)")
        }
    }

    @Test("layer norm of a sum, also in place", arguments: sets)
    func addLayerNorm(set: KernelSet) {
        for width in Self.widths {
            let (x, bias, residual) = (random(3 * width, seed: 1), random(width, seed: 2), random(3 * width, seed: 3))
            let (gamma, beta) = (random(width, seed: 4), random(width, seed: 5))
            func run(_ kernels: encoder_kernels) -> [Float] {
                unaligned(residual) { kernels.add_layer_norm($0, x, bias, $0, gamma, beta, 3, width, 1e-12) }
            }
            #expect(maxDifference(run(set.kernels), run(Self.scalar)) <= 4e-6, "width \(width)")
        }
    }

    @Test("layer norm keeps NaN in its row", arguments: sets)
    func layerNormOfNaN(set: KernelSet) {
        for (width, place) in [(17, 3), (17, 16), (64, 40), (5, 0)] {
            var x = random(3 * width, seed: 6)
            x[width + place] = .nan
            let zero = [Float](repeating: 0, count: 3 * width)
            let one = [Float](repeating: 1, count: width)
            let out = unaligned(zero) { set.kernels.add_layer_norm($0, x, zero, zero, one, zero, 3, width, 1e-12) }
            #expect(areFinite(out[..<width]))
            #expect(areNaN(out[width..<2 * width]))
            #expect(areFinite(out[(2 * width)...]))
        }
    }

    @Test("exact GELU over the whole range", arguments: sets)
    func gelu(set: KernelSet) {
        let odd: [Float] = [-40, 40, 1e-30, -1e-30, Float(bitPattern: 700), -0.0, 3e38, -3e38]
        let points = (-2_000...2_000).map { Float($0) / 200 } + odd
        for count in Self.widths + [points.count] {
            let x = Array(points.suffix(count))
            let zero = [Float](repeating: 0, count: count)
            let plain = unaligned(x) { Self.scalar.bias_gelu($0, zero, 1, count) }
            let out = unaligned(x) { set.kernels.bias_gelu($0, zero, 1, count) }
            for (position, value) in x.enumerated() {
                #expect(abs(out[position] - plain[position]) <= 2e-7 * max(1, abs(value)), "gelu(\(value))")
            }
        }
        let bias = random(33, seed: 7)
        let biased = unaligned(random(66, seed: 8)) { set.kernels.bias_gelu($0, bias, 2, 33) }
        let plain = unaligned(random(66, seed: 8)) { Self.scalar.bias_gelu($0, bias, 2, 33) }
        #expect(maxDifference(biased, plain) <= 6e-7)
        let zero = [Float](repeating: 0, count: 17)
        let mixed = unaligned([Float](repeating: 1, count: 16) + [.nan]) { set.kernels.bias_gelu($0, zero, 1, 17) }
        #expect(mixed[16].isNaN && areFinite(mixed[..<16]))
    }

    @Test("attention of odd lengths, heads and head sizes", arguments: sets)
    func attention(set: KernelSet) {
        for (length, heads, size) in [
            (1, 1, 32), (2, 12, 32), (5, 2, 4), (6, 1, 32), (7, 3, 33), (15, 2, 32), (31, 1, 64), (33, 2, 1),
            (64, 1, 5), (65, 1, 48), (130, 1, 32),
        ] {
            let width = heads * size
            let qkv = random(3 * length * width, seed: length)
            let bias = random(width, seed: 9)
            let (out, plain) = (
                run(set.kernels, qkv, bias, length, heads, size), run(Self.scalar, qkv, bias, length, heads, size)
            )
            #expect(maxDifference(out, plain) <= 4e-6, "length \(length), \(heads) heads of \(size)")
        }
    }

    @Test("attention with scores far apart and huge ones", arguments: sets)
    func attentionExtremes(set: KernelSet) {
        for scale in [Float(1e-20), 30, 1_000] {
            let qkv = random(3 * 20 * 32, seed: 11, scale)
            let bias = [Float](repeating: 0, count: 32)
            let (out, plain) = (run(set.kernels, qkv, bias, 20, 1, 32), run(Self.scalar, qkv, bias, 20, 1, 32))
            // Scores of a million carry errors of 0.1, which the exponential turns into weights.
            if scale < 100 { #expect(maxDifference(out, plain) <= 1e-3 * scale) }
            #expect(areFinite(out))
        }
    }

    @Test("attention keeps NaN in its head", arguments: sets)
    func attentionOfNaN(set: KernelSet) {
        var qkv = random(3 * 9 * 64, seed: 12)
        qkv[4 * 192 + 64 + 3] = .nan  // a key of the first head
        let out = run(set.kernels, qkv, [Float](repeating: 0, count: 64), 9, 2, 32)
        for row in 0..<9 {
            #expect(areNaN(out[row * 64..<row * 64 + 32]))
            #expect(areFinite(out[row * 64 + 32..<(row + 1) * 64]))
        }
    }

    private func run(
        _ kernels: encoder_kernels,
        _ qkv: [Float],
        _ bias: [Float],
        _ length: Int,
        _ heads: Int,
        _ size: Int
    ) -> [Float] {
        // Scratch begins as garbage.
        var scratch = [Float](repeating: .nan, count: encoder_attention_scratch(length, size))
        return unaligned([Float](repeating: 0, count: length * heads * size)) {
            kernels.attention($0, qkv, bias, length, heads, size, &scratch)
        }
    }

    @Test("products of odd shapes", arguments: sets)
    func product(set: KernelSet) {
        for (rows, columns, depth) in [
            (1, 1, 1), (1, 7, 33), (2, 4, 16), (3, 5, 17), (4, 9, 100), (5, 8, 384), (6, 3, 7), (7, 12, 64),
            (15, 11, 48), (47, 4, 31), (48, 8, 32), (49, 6, 40), (100, 5, 20),
        ] {
            let (x, w) = (random(rows * depth, seed: 1), random(columns * depth, seed: 2))
            func run(_ kernels: encoder_kernels) -> [Float] {
                unaligned([Float](repeating: .nan, count: rows * columns)) {
                    kernels.product($0, x, w, rows, columns, depth)
                }
            }
            let bound = 1e-6 * Float(depth).squareRoot() * 4
            #expect(maxDifference(run(set.kernels), run(Self.scalar)) <= bound, "\(rows) x \(columns) x \(depth)")
        }
        var x = random(3 * 40, seed: 3)
        x[45] = .nan
        let w = random(5 * 40, seed: 4)
        let out = unaligned([Float](repeating: 0, count: 15)) { set.kernels.product($0, x, w, 3, 5, 40) }
        #expect(areNaN(out[5..<10]))
        #expect(areFinite(out[..<5]) && areFinite(out[10...]))
    }

    @Test("mean of rows", arguments: sets)
    func meanRows(set: KernelSet) {
        for width in Self.widths {
            for rows in [1, 2, 7, 256] {
                let x = random(rows * width, seed: rows)
                func run(_ kernels: encoder_kernels) -> [Float] {
                    unaligned([Float](repeating: 0, count: width)) { kernels.mean_rows($0, x, rows, width) }
                }
                #expect(maxDifference(run(set.kernels), run(Self.scalar)) <= 2e-6)
            }
        }
    }

    @Test("unit length, or as it is when there is none")
    func normalize() {
        var vector: [Float] = [3, 0, 4]
        #expect(encoder_normalize(&vector, 3) == 5)
        #expect(maxDifference(vector, [0.6, 0, 0.8]) < 1e-7)
        var tiny: [Float] = [1e-30, 0]
        _ = encoder_normalize(&tiny, 2)
        #expect(maxDifference(tiny, [1, 0]) < 1e-6)
        var zero: [Float] = [0, 0]
        #expect(encoder_normalize(&zero, 2) == 0)
        #expect(zero == [0, 0])
        var odd: [Float] = [.nan, 1]
        #expect(encoder_normalize(&odd, 2).isNaN)
    }

    @Test("a fingerprint shows every changed byte, swapped block and cut")
    func fingerprint() {
        func of(_ bytes: [UInt8]) -> [UInt64] {
            var state = encoder_fingerprint()
            encoder_fingerprint_begin(&state)
            encoder_fingerprint_add(&state, bytes, bytes.count)
            var words: [UInt64] = [0, 0]
            encoder_fingerprint_end(&state, &words)
            return words
        }
        var generator = SeededGenerator(seed: testSeed)
        let bytes = (0..<300).map { _ in UInt8.random(in: 0...255, using: &generator) }
        var seen: Set<[UInt64]> = [of(bytes)]
        for position in bytes.indices {
            for bit in 0..<8 {
                var changed = bytes
                changed[position] ^= 1 << bit
                #expect(seen.insert(of(changed)).inserted, "bit \(bit) of byte \(position)")
            }
        }
        #expect(seen.insert(of(Array(bytes[64..<128] + bytes[..<64] + bytes[128...]))).inserted)
        for count in 0..<300 { #expect(seen.insert(of(Array(bytes[..<count]))).inserted) }
        #expect(seen.insert(of(bytes + [0])).inserted)
        let zeros = Set((0..<200).map { of([UInt8](repeating: 0, count: $0)) })
        #expect(zeros.count == 200)
    }
}
