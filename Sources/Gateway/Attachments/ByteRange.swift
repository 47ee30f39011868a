/// The part of a file that a `Range` header asks for (RFC 9110, section 14).
///
/// One range is served. Several at once, other units and what is no range are passed over, as the standard allows: the
/// whole file answers them.
enum ByteRange {
    /// What to send of a file of `size` bytes; nil for the whole of it.
    ///
    /// - Throws: `Unsatisfiable` for a range that lies behind the file's end.
    static func wanted(_ header: String?, size: Int64) throws(Unsatisfiable) -> Range<Int64>? {
        guard let header, let equals = header.firstIndex(of: "="),
            header[..<equals].lowercased().filter({ $0 != " " }) == "bytes"
        else { return nil }
        let text = header[header.index(after: equals)...].filter { $0 != " " && $0 != "\t" }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, !text.contains(",") else { return nil }
        if ends[0].isEmpty {
            guard let last = number(ends[1]) else { return nil }
            guard last > 0, size > 0 else { throw Unsatisfiable() }
            return max(0, size - last)..<size
        }
        guard let first = number(ends[0]) else { return nil }
        var end = size
        if !ends[1].isEmpty {
            guard let last = number(ends[1]), last >= first else { return nil }
            end = min(size, last == .max ? last : last + 1)
        }
        guard first < size else { throw Unsatisfiable() }
        return first..<end
    }

    struct Unsatisfiable: Error {}

    /// Digits only; more than fit mean the file's end.
    private static func number(_ text: some StringProtocol) -> Int64? {
        let isNumber = !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return isNumber ? Int64(text) ?? .max : nil
    }
}
