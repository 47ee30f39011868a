import Domain

/// One page of a list.
///
/// The cursor holds where to go on and a fingerprint of the names, so a list that changed between two pages is
/// noticed instead of skipping or repeating an element.
struct ListPage<Element> {
    let elements: ArraySlice<Element>
    /// Nil on the last page.
    let nextCursor: String?

    /// - Parameters:
    ///   - cursor: as given out with the page before; nil or empty for the first page.
    ///   - name: what tells elements apart.
    /// - Throws: `.invalidParams` for a cursor of our making no more, or never.
    init(
        of list: [Element],
        after cursor: String?,
        size: Int,
        name: (Element) -> String
    ) throws(ProtocolError) {
        precondition(size > 0, "a page holds at least one element, not \(size)")
        // Nobody goes on where a list is shown whole.
        guard cursor?.isEmpty == false || list.count > size else {
            (elements, nextCursor) = (list[...], nil)
            return
        }
        let fingerprint = Self.fingerprint(of: list, name: name)
        let start = try Self.start(cursor, fingerprint: fingerprint, count: list.count)
        let end = min(start + size, list.count)
        elements = list[start..<end]
        nextCursor = end < list.count ? "\(end)-\(fingerprint)" : nil
    }

    private static func start(_ cursor: String?, fingerprint: String, count: Int) throws(ProtocolError) -> Int {
        guard let cursor, !cursor.isEmpty else { return 0 }
        let parts = cursor.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let start = Int(parts[0]), String(start) == parts[0], start > 0 else {
            throw .invalidParams("The cursor is not one of this server's; start again without a cursor")
        }
        guard parts[1] == fingerprint, start < count else {
            throw .invalidParams("The list has changed since this cursor; start again without a cursor")
        }
        return start
    }

    /// FNV-1a, 64 bits, over the names in order: the same in every process.
    private static func fingerprint(of list: [Element], name: (Element) -> String) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for element in list {
            for byte in name(element).utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            hash = (hash ^ 0xFF) &* 0x100_0000_01B3
        }
        return String(hash, radix: 36)
    }
}
