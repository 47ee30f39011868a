/// Postings of one word in 256 consecutive entries of one partition: three bytes each, in no order.
///
/// Byte 0: the entry's low 8 bits. Byte 1: how often the word occurs in the unit, at most 255. Byte 2: how many words
/// the unit has, at most 255. Appending is concatenation, which SQL does without reading the row first.
enum PostingBlock {
    static let entriesPerBlock = 256
    static let bytesPerPosting = 3

    static func block(of entry: UInt32) -> UInt32 { entry >> 8 }

    static func posting(entry: UInt32, frequency: Int, words: Int) -> [UInt8] {
        [UInt8(truncatingIfNeeded: entry), UInt8(clamping: frequency), UInt8(clamping: words)]
    }

    /// `data` without the postings of `entries` (their low 8 bits).
    static func removing(_ entries: Set<UInt8>, from data: [UInt8]) -> [UInt8] {
        var kept: [UInt8] = []
        kept.reserveCapacity(data.count)
        for start in stride(from: 0, to: data.count - data.count % bytesPerPosting, by: bytesPerPosting)
        where !entries.contains(data[start]) {
            kept.append(contentsOf: data[start..<(start + bytesPerPosting)])
        }
        return kept
    }
}

/// The stems of one unit with their counts, as stored beside it so that they can be taken out of the postings again:
/// for each a length byte, the UTF-8, a count byte.
enum PackedTerms {
    static func pack(_ counts: [String: Int]) -> [UInt8] {
        var bytes: [UInt8] = []
        for (term, count) in counts.sorted(by: { $0.key < $1.key }) {
            bytes.append(UInt8(clamping: term.utf8.count))
            bytes.append(contentsOf: term.utf8.prefix(255))
            bytes.append(UInt8(clamping: count))
        }
        return bytes
    }

    static func terms(in bytes: [UInt8]) throws(SearchError) -> [String] {
        var terms: [String] = []
        var position = 0
        while position < bytes.count {
            let end = position + 1 + Int(bytes[position])
            guard end < bytes.count else { throw SearchError.corrupt("list of words of a unit") }
            terms.append(String(decoding: bytes[(position + 1)..<end], as: UTF8.self))
            position = end + 1
        }
        return terms
    }
}
