import CRE2
import Domain

/// A regular expression in RE2's syntax: no look-around and no references back, and so time linear in the text.
///
/// Safe to share between threads: a compiled pattern of RE2 is never changed but for caches with locks of their own.
// @unchecked Sendable: `pattern` is set once and freed in deinit, and every call on it is const in C++.
final class RegularExpression: @unchecked Sendable {
    /// The text is too long for this pattern, or too much work came of it.
    struct TooLarge: Error {}

    private let pattern: OpaquePointer
    private let groupCount: Int
    /// Steps that a search may take for a byte.
    private let programSize: Int

    /// The compiled pattern, from the cache if it was met lately; nil when it is none, or too large.
    static func compiled(_ text: String) -> RegularExpression? {
        guard text.utf8.count <= Limits.regexPatternBytes else { return nil }
        return cache.value(text) { RegularExpression($0) }
    }

    private static let cache = BoundedCache<String, RegularExpression?>(capacity: Limits.regexPatterns)

    private init?(_ text: String) {
        var text = text
        let compiled = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                cre2_compile($0.baseAddress, $0.count, Int64(Limits.regexMemoryBytes), nil, 0)
            }
        }
        guard let compiled else { return nil }
        pattern = compiled
        groupCount = Int(cre2_group_count(compiled))
        programSize = Int(cre2_program_size(compiled))
    }

    deinit { cre2_free(pattern) }

    /// Whether it matches somewhere in the text.
    func matches(_ text: String) throws(TooLarge) -> Bool {
        try search(text) { (bytes) throws(TooLarge) in
            var none: [cre2_span] = []
            return try find(in: bytes, from: 0, &none)
        }
    }

    /// The first match; nil when there is none.
    func firstMatch(in text: String) throws(TooLarge) -> String? {
        try search(text) { (bytes) throws(TooLarge) in
            var spans = [cre2_span()]
            guard try find(in: bytes, from: 0, &spans) else { return nil }
            return String(decoding: bytes[spans[0].start..<spans[0].end], as: UTF8.self)
        }
    }

    /// Every match replaced, as JavaScript does with a pattern marked global: an empty match is one too.
    func replacing(in text: String, with replacement: String) throws(TooLarge) -> String {
        let template = ReplacementTemplate(replacement, groupCount: groupCount)
        return try search(text) { (bytes) throws(TooLarge) in
            String(decoding: try replaced(bytes, template), as: UTF8.self)
        }
    }

    private func replaced(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ template: ReplacementTemplate
    ) throws(TooLarge) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        // Each search may read to the end of the text and then match a little, or nothing: `a(.*b)?` in a long row of
        // a's. That is quadratic, and no count tells it from an honest pattern with as many matches, so the processor
        // time of this thread is the bound.
        let deadline = ThreadTime.nanoseconds + Limits.regexReplaceNanoseconds
        var (copied, from, matches) = (0, 0, 0)
        var spans = Array(repeating: cre2_span(), count: template.spanCount)
        while from <= bytes.count, try find(in: bytes, from: from, &spans) {
            let match = spans[0]
            result.append(contentsOf: bytes[copied..<match.start])
            template.append(to: &result, bytes, spans)
            guard result.count <= Limits.formulaTextBytes else { throw TooLarge() }
            copied = match.end
            from = match.end
            if match.end == match.start {
                // Behind the next character, which is copied with what follows.
                from += 1
                while from < bytes.count, bytes[from] & 0xC0 == 0x80 { from += 1 }
            }
            matches += 1
            if matches % 64 == 0, ThreadTime.nanoseconds > deadline { throw TooLarge() }
        }
        result.append(contentsOf: bytes[copied...])
        guard result.count <= Limits.formulaTextBytes else { throw TooLarge() }
        return result
    }

    /// Looks for the next match from a place on; leaves itself and its groups in `spans`, as many as those are.
    private func find(
        in bytes: UnsafeBufferPointer<UInt8>,
        from: Int,
        _ spans: inout [cre2_span]
    ) throws(TooLarge) -> Bool {
        let count = Int32(spans.count)
        let found = bytes.withMemoryRebound(to: CChar.self) {
            cre2_search(pattern, $0.baseAddress, $0.count, from, &spans, count)
        }
        guard found >= 0 else { throw TooLarge() }
        return found == 1
    }

    private func search<Result>(
        _ text: String,
        _ body: (UnsafeBufferPointer<UInt8>) throws(TooLarge) -> Result
    ) throws(TooLarge) -> Result {
        let count = text.utf8.count
        guard count <= Limits.formulaTextBytes, count * programSize <= Limits.regexWork else { throw TooLarge() }
        var text = text
        let outcome: Swift.Result<Result, TooLarge> = text.withUTF8 { bytes in
            do throws(TooLarge) { return .success(try body(bytes)) } catch { return .failure(error) }
        }
        return try outcome.get()
    }
}
