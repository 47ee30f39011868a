/// 128 bits that tell whether a unit's text is still the same: FNV-1a over its UTF-8.
///
/// Not a defence against somebody who wants a collision; all they would gain is their own record indexed under an
/// older text of theirs.
struct ContentHash: Hashable, Sendable {
    let bytes: [UInt8]

    init(of text: String) {
        var state: UInt128 = 0x6C62_272E_07BB_0142_62B8_2175_6295_C58D
        let prime: UInt128 = 0x0000_0000_0100_0000_0000_0000_0000_013B
        for byte in text.utf8 {
            state ^= UInt128(byte)
            state = state &* prime
        }
        bytes = (0..<16).map { UInt8(truncatingIfNeeded: state >> (120 - 8 * UInt128($0))) }
    }

    init(bytes: [UInt8]) { self.bytes = bytes }
}
