#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Finds bytes in bytes.
enum ByteSearch {
    /// Up to here each place is tried by itself: quick for ordinary texts, and bounded for the worst.
    private static let shortNeedle = 32

    /// Offsets of each occurrence, none overlapping; at most `limit`. An empty needle occurs nowhere. O(n + m).
    static func offsets(
        of needle: UnsafeBufferPointer<UInt8>,
        in bytes: UnsafeBufferPointer<UInt8>,
        from start: Int,
        limit: Int
    ) -> [Int] {
        guard !needle.isEmpty, bytes.count - start >= needle.count else { return [] }
        return needle.count <= shortNeedle
            ? trying(needle, in: bytes, from: start, limit) : byBorders(needle, in: bytes, from: start, limit)
    }

    private static func trying(
        _ needle: UnsafeBufferPointer<UInt8>,
        in bytes: UnsafeBufferPointer<UInt8>,
        from start: Int,
        _ limit: Int
    ) -> [Int] {
        guard let base = bytes.baseAddress, let key = needle.baseAddress else { return [] }
        var offsets: [Int] = []
        var position = start
        while offsets.count < limit, position + needle.count <= bytes.count {
            let rest = bytes.count - needle.count + 1 - position
            guard let hit = memchr(base + position, Int32(key[0]), rest) else { break }
            position = UnsafeRawPointer(hit) - UnsafeRawPointer(base)
            if memcmp(base + position, key, needle.count) == 0 {
                offsets.append(position)
                position += needle.count
            } else {
                position += 1
            }
        }
        return offsets
    }

    /// D. E. Knuth, J. H. Morris and V. R. Pratt, "Fast pattern matching in strings", 1977.
    private static func byBorders(
        _ needle: UnsafeBufferPointer<UInt8>,
        in bytes: UnsafeBufferPointer<UInt8>,
        from start: Int,
        _ limit: Int
    ) -> [Int] {
        // Of each beginning of the needle, the length of the longest that is its end too.
        var borders = [Int](repeating: 0, count: needle.count)
        var length = 0
        for index in 1..<needle.count {
            while length > 0, needle[index] != needle[length] { length = borders[length - 1] }
            if needle[index] == needle[length] { length += 1 }
            borders[index] = length
        }
        var offsets: [Int] = []
        var matched = 0
        var position = start
        while position < bytes.count, offsets.count < limit {
            while matched > 0, bytes[position] != needle[matched] { matched = borders[matched - 1] }
            if bytes[position] == needle[matched] { matched += 1 }
            position += 1
            if matched == needle.count {
                offsets.append(position - needle.count)
                matched = 0
            }
        }
        return offsets
    }
}
