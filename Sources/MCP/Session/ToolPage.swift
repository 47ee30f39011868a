import Domain

/// One page of `tools/list`.
///
/// The cursor holds where to go on and a fingerprint of the names, so a list that changed between two pages is
/// noticed instead of skipping or repeating a tool.
struct ToolPage {
    let tools: ArraySlice<ToolDefinition>
    /// Nil on the last page.
    let nextCursor: String?

    /// - Parameter cursor: as given out with the page before; nil or empty for the first page.
    /// - Throws: `.invalidParams` for a cursor of our making no more, or never.
    init(of tools: [ToolDefinition], after cursor: String?, size: Int) throws(ProtocolError) {
        precondition(size > 0, "a page holds at least one tool, not \(size)")
        let fingerprint = Self.fingerprint(of: tools)
        let start = try Self.start(cursor, fingerprint: fingerprint, count: tools.count)
        let end = min(start + size, tools.count)
        self.tools = tools[start..<end]
        nextCursor = end < tools.count ? "\(end)-\(fingerprint)" : nil
    }

    private static func start(_ cursor: String?, fingerprint: String, count: Int) throws(ProtocolError) -> Int {
        guard let cursor, !cursor.isEmpty else { return 0 }
        let parts = cursor.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let start = Int(parts[0]), String(start) == parts[0], start > 0 else {
            throw .invalidParams("The cursor is not one of this server's; start again without a cursor")
        }
        guard parts[1] == fingerprint, start < count else {
            throw .invalidParams("The list of tools has changed since this cursor; start again without a cursor")
        }
        return start
    }

    /// FNV-1a, 64 bits, over the names in order: the same in every process.
    private static func fingerprint(of tools: [ToolDefinition]) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for tool in tools {
            for byte in tool.name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            hash = (hash ^ 0xFF) &* 0x100_0000_01B3
        }
        return String(hash, radix: 36)
    }
}
