import CKernels
import Testing

/// Against the text of the xxHash specification, section "XXH64 algorithm", and its published results.
@Suite("XXH64")
struct HashKernelTests {
    @Test("gives the published hashes")
    func published() {
        let hashes: [(text: String, seed: UInt64, hash: UInt64)] = [
            ("", 0, 0xEF46_DB37_51D8_E999),
            ("a", 0, 0xD24E_C4F1_A98C_6E5B),
            ("abc", 0, 0x44BC_2CF5_AD77_0999),
            ("Nobody inspects the spammish repetition", 0, 0xFBCE_A83C_8A37_8BF1),
        ]
        for (text, seed, hash) in hashes {
            #expect(ck_xxh64(seed, Array(text.utf8), text.utf8.count) == hash, "\(text)")
        }
    }

    @Test("is what the specification says, at every length, start and seed")
    func specified() {
        let bytes = (0..<1_200).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ $0 >> 3) }
        bytes.withUnsafeBytes { buffer in
            for length in Array(0...130) + [255, 256, 257, 1_000, 1_023] {
                for start in 0..<9 {
                    for seed: UInt64 in [0, 1, .max, 0x9E37_79B1_85EB_CA8D] {
                        let part = UnsafeRawBufferPointer(rebasing: buffer[start..<(start + length)])
                        let expected = Self.reference(Array(part), seed: seed)
                        #expect(ck_xxh64(seed, part.baseAddress, length) == expected, "\(length) at \(start)")
                    }
                }
            }
        }
    }

    @Test("changes with every single bit")
    func everyBit() {
        var bytes = Array("{\"1\":\"Ada Lovelace\",\"4\":12.5,\"9\":\"2024-05-01\"}".utf8)
        var seen: Set<UInt64> = [ck_xxh64(7, bytes, bytes.count)]
        for bit in 0..<bytes.count * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8)
            #expect(seen.insert(ck_xxh64(7, bytes, bytes.count)).inserted)
            bytes[bit / 8] ^= 1 << (bit % 8)
        }
    }

    /// Step by step, byte by byte.
    private static func reference(_ input: [UInt8], seed: UInt64) -> UInt64 {
        let primes: [UInt64] = [
            11_400_714_785_074_694_791, 14_029_467_366_897_019_727, 1_609_587_929_392_839_161,
            9_650_029_242_287_828_579, 2_870_177_450_012_600_261,
        ]
        func number(_ position: Int, _ width: Int) -> UInt64 {
            (0..<width).reduce(0) { $0 | UInt64(input[position + $1]) << (8 * UInt64($1)) }
        }
        func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 { value << bits | value >> (64 - bits) }
        func round(_ lane: UInt64, _ value: UInt64) -> UInt64 {
            rotate(lane &+ value &* primes[1], 31) &* primes[0]
        }
        // Steps 1 to 3: accumulators over stripes of 32 bytes, and their convergence.
        var lanes = [seed &+ primes[0] &+ primes[1], seed &+ primes[1], seed, seed &- primes[0]]
        var position = 0
        var hash = seed &+ primes[4]
        while input.count - position >= 32 {
            for lane in 0..<4 { lanes[lane] = round(lanes[lane], number(position + 8 * lane, 8)) }
            position += 32
        }
        if position > 0 {
            hash = zip(lanes, [1, 7, 12, 18]).reduce(0) { $0 &+ rotate($1.0, $1.1) }
            for lane in lanes { hash = (hash ^ round(0, lane)) &* primes[0] &+ primes[3] }
        }
        // Steps 4 to 6: the length, what is left, the final mix.
        hash = hash &+ UInt64(input.count)
        while input.count - position >= 8 {
            hash = rotate(hash ^ round(0, number(position, 8)), 27) &* primes[0] &+ primes[3]
            position += 8
        }
        if input.count - position >= 4 {
            hash = rotate(hash ^ number(position, 4) &* primes[0], 23) &* primes[1] &+ primes[2]
            position += 4
        }
        while position < input.count {
            hash = rotate(hash ^ UInt64(input[position]) &* primes[4], 11) &* primes[0]
            position += 1
        }
        hash = (hash ^ hash >> 33) &* primes[1]
        hash = (hash ^ hash >> 29) &* primes[2]
        return hash ^ hash >> 32
    }
}
