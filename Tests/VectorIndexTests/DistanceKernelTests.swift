import CKernels
import Testing

@Suite("Distance kernels")
struct DistanceKernelTests {
    struct Variant: CustomTestStringConvertible, Sendable {
        let position: Int
        let testDescription: String

        var kernels: ck_distance_variant { ck_distance_variant_at(position).pointee }

        static let scalar = all.last!

        static let all = (0..<ck_distance_variant_count()).map { position in
            Variant(position: position, testDescription: String(cString: ck_distance_variant_at(position).pointee.name))
        }

        static let runnable = all.filter { $0.kernels.supported() }
    }

    private static let lengths = Array(0...70) + [96, 100, 127, 128, 129, 255, 257, 383, 384, 385, 768, 1_000, 1_537]

    /// Sums in another order differ by rounding: n products of size |a||b| lose at most n · 2⁻²⁴ of it.
    private func tolerance(_ n: Int, _ scale: Float) -> Float { Float(n + 4) * 0x1p-23 * scale }

    @Test("the one in use is the first this machine runs, and scalar is the last resort")
    func choice() {
        #expect(String(cString: ck_distance_best().pointee.name) == Variant.runnable.first?.testDescription)
        #expect(Variant.scalar.testDescription == "scalar")
    }

    @Test("equals scalar at every length, tail and alignment", arguments: Variant.runnable)
    func equalsScalar(variant: Variant) {
        var generator = SeededGenerator(1)
        for n in Self.lengths {
            for offset in [0, 1, 3, 7, 15] {
                let a = [Float](repeating: .nan, count: offset) + generator.vector(n) + [.nan]
                let b = [Float](repeating: .nan, count: 2 * offset) + generator.vector(n) + [.nan]
                a.withUnsafeBufferPointer { a in
                    b.withUnsafeBufferPointer { b in
                        // The numbers around the vectors are NaN: reading one would show.
                        compare(variant, a.baseAddress! + offset, b.baseAddress! + 2 * offset, n)
                    }
                }
            }
        }
    }

    private func compare(_ variant: Variant, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ n: Int) {
        let scalar = Variant.scalar.kernels
        let normA = -scalar.negated_dot(a, a, n)
        let normB = -scalar.negated_dot(b, b, n)
        let dot = variant.kernels.negated_dot(a, b, n)
        let l2 = variant.kernels.squared_l2(a, b, n)
        #expect(abs(dot - scalar.negated_dot(a, b, n)) <= tolerance(n, (normA * normB).squareRoot()), "dot of \(n)")
        #expect(abs(l2 - scalar.squared_l2(a, b, n)) <= tolerance(n, 2 * (normA + normB)), "l2 of \(n)")
    }

    @Test("keeps denormals", arguments: Variant.runnable)
    func denormals(variant: Variant) {
        let tiny = [Float](repeating: 0x1p-140, count: 77)
        let one = [Float](repeating: 1, count: 77)
        #expect(variant.kernels.negated_dot(tiny, one, 77) == -77 * 0x1p-140)
        let less = [Float](repeating: 0x1p-70, count: 77)
        let none = [Float](repeating: 0, count: 77)
        #expect(variant.kernels.squared_l2(less, none, 77) == 77 * 0x1p-140)
    }

    @Test("a NaN anywhere, also in the tail, comes out as NaN", arguments: Variant.runnable)
    func notANumber(variant: Variant) {
        let good = [Float](repeating: 1, count: 83)
        for position in 0..<83 {
            var bad = good
            bad[position] = .nan
            #expect(variant.kernels.negated_dot(good, bad, 83).isNaN)
            #expect(variant.kernels.squared_l2(bad, good, 83).isNaN)
            #expect(!ck_all_finite_f32(bad, 83))
            bad[position] = .infinity
            #expect(!ck_all_finite_f32(bad, 83))
        }
        #expect(ck_all_finite_f32(good, 83))
    }

    @Test("many rows at once give what one pair at a time gives, bit for bit", arguments: Variant.runnable)
    func rows(variant: Variant) {
        var generator = SeededGenerator(2)
        let shift: UInt32 = 3
        for (n, stride) in [(1, 1), (5, 16), (384, 384), (100, 112), (1_200, 1_200)] {
            let chunks = (0..<4).map { _ in generator.vector(stride << 3) }
            let query = generator.vector(n)
            let slots = (0..<40).map { _ in UInt32(generator.below(32)) }
            var pointers = chunks.map { chunk -> UnsafeRawPointer? in
                let copy = UnsafeMutablePointer<Float>.allocate(capacity: chunk.count)
                copy.initialize(from: chunk, count: chunk.count)
                return UnsafeRawPointer(copy)
            }
            defer { for pointer in pointers { pointer?.deallocate() } }
            var dots = [Float](repeating: 0, count: slots.count)
            var squares = dots
            variant.kernels.negated_dot_rows(query, n, &pointers, shift, stride, slots, slots.count, &dots)
            variant.kernels.squared_l2_rows(query, n, &pointers, shift, stride, slots, slots.count, &squares)
            for (position, slot) in slots.enumerated() {
                let row = Array(chunks[Int(slot) >> 3][((Int(slot) & 7) * stride)...].prefix(n))
                #expect(dots[position] == variant.kernels.negated_dot(query, row, n))
                #expect(squares[position] == variant.kernels.squared_l2(query, row, n))
            }
            variant.kernels.negated_dot_rows(query, n, &pointers, shift, stride, slots, 0, &dots)
        }
    }
}

@Suite("Link lists")
struct LinkListTests {
    @Test("a list is written, read and ended")
    func roundTrip() {
        var list = [UInt32](repeating: 7, count: 8)
        ck_write_links(&list, 8, [3, 1, 2], 3)
        #expect(list == [3, 1, 2] + [UInt32](repeating: CK_NO_SLOT, count: 5))
        var out = [UInt32](repeating: 0, count: 8)
        #expect(ck_read_links(list, 8, &out) == 3)
        #expect(out.prefix(3) == [3, 1, 2])
    }

    @Test("each slot is taken once a walk, and none made after it began")
    func visits() {
        var tags = [UInt8](repeating: 0, count: 10)
        var out = [UInt32](repeating: 0, count: 4)
        let row: [Float] = [0]
        row.withUnsafeBufferPointer { row in
            var chunks: [UnsafeRawPointer?] = [UnsafeRawPointer(row.baseAddress!)]
            func take(_ links: [UInt32], _ tag: UInt8) -> [UInt32] {
                let count = ck_take_unvisited(links, links.count, 8, &tags, tag, &chunks, 13, 0, &out)
                return Array(out.prefix(count))
            }
            #expect(take([1, 2, 9, 1], 1) == [1, 2])
            #expect(take([2, 3, CK_NO_SLOT, 4], 1) == [3])
            #expect(take([1, 2, 3, 4], 2) == [1, 2, 3, 4])
        }
    }

    @Test("a list that could lead astray is not valid")
    func validity() {
        let end = CK_NO_SLOT
        #expect(ck_links_valid([1, 2, end, end], 4, 5, 0))
        #expect(ck_links_valid([end, end], 2, 5, 0))
        #expect(!ck_links_valid([1, 5, end, end], 4, 5, 0), "beyond the last slot")
        #expect(!ck_links_valid([1, 0, end, end], 4, 5, 0), "to itself")
        #expect(!ck_links_valid([1, end, 2, end], 4, 5, 0), "a link behind the end")
    }

    @Test("marked slots are found")
    func marks() {
        let bitmap: [UInt64] = [1 << 5, 1 << 1]
        #expect(ck_links_any_marked([1, 5], 2, bitmap))
        #expect(ck_links_any_marked([1, 65], 2, bitmap))
        #expect(!ck_links_any_marked([1, 64, CK_NO_SLOT, 5], 4, bitmap))
    }
}

@Suite("CRC32C")
struct ChecksumTests {
    @Test("gives the check value of the standard and equals the portable form at every length")
    func values() {
        #expect(ck_crc32c(0, Array("123456789".utf8), 9) == 0xE306_9283)
        #expect(ck_crc32c_portable(0, Array("123456789".utf8), 9) == 0xE306_9283)
        var generator = SeededGenerator(3)
        let bytes = (0..<300).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
        for length in 0...300 {
            let whole = ck_crc32c(0, bytes, length)
            #expect(whole == ck_crc32c_portable(0, bytes, length))
            let split = length / 3
            #expect(ck_crc32c(ck_crc32c(0, bytes, split), Array(bytes[split...]), length - split) == whole)
        }
    }
}
