/// What a flipped bit, a torn write or a wrong copy may make of a file of 4,096-byte pages.
public enum FileDamage {
    /// `original` damaged in one way, at random places.
    public static func mutated(_ original: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = original
        let pages = bytes.count / page
        switch Int.random(in: 0..<8, using: &generator) {
        case 0:
            bytes.removeLast(Int.random(in: 1..<bytes.count, using: &generator))
        case 1:
            // The header and the schema's page.
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                bytes[Int.random(in: 0..<page, using: &generator)] = .random(in: 0...255, using: &generator)
            }
        case 2:
            let target = Int.random(in: 0..<pages, using: &generator) * page
            copy(page, from: Int.random(in: 0..<pages, using: &generator) * page, to: target, in: &bytes)
        case 3:
            let start = Int.random(in: 0..<pages, using: &generator) * page
            for position in start..<start + page { bytes[position] = 0 }
        case 4:
            // The heads of pages, where the tree is.
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                let start = Int.random(in: 0..<pages, using: &generator) * page
                bytes[start + Int.random(in: 0..<64, using: &generator)] ^= bit(&generator)
            }
        case 5:
            // As memory or a disk turns one over.
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] ^= bit(&generator)
            }
        case 6:
            let count = Int.random(in: 1...600, using: &generator)
            let source = Int.random(in: 0..<bytes.count - count, using: &generator)
            copy(count, from: source, to: Int.random(in: 0..<bytes.count - count, using: &generator), in: &bytes)
        default:
            for _ in 0..<Int.random(in: 1...200, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
            }
        }
        return bytes
    }

    private static let page = 4_096

    private static func bit(_ generator: inout SeededGenerator) -> UInt8 {
        1 << UInt8.random(in: 0...7, using: &generator)
    }

    private static func copy(_ count: Int, from source: Int, to target: Int, in bytes: inout [UInt8]) {
        let content = Array(bytes[source..<source + count])
        bytes.replaceSubrange(target..<target + count, with: content)
    }
}
