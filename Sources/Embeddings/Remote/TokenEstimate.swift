/// Tokens of models whose tokenizer is not here: estimated high, so that what fits by this fits by theirs.
///
/// A token for every three bytes of an ASCII word, for each other ASCII character that shows, and for each character
/// beyond ASCII. English prose of today's tokenizers has four to five bytes a token with its spaces, and scripts they
/// know badly about one for each character.
enum TokenEstimate {
    static let wordBytes = 3

    static func count(of text: String) -> Int {
        var count = 0
        scan(text) { _ in count += 1 }
        return count
    }

    static func spans(of text: String) -> [TokenSpan] {
        var spans: [TokenSpan] = []
        scan(text) { spans.append(TokenSpan(id: Int32(truncatingIfNeeded: spans.count), utf8: $0)) }
        return spans
    }

    private static func scan(_ text: String, _ body: (Range<Int>) -> Void) {
        var text = text
        text.withUTF8 { bytes in
            var start = 0
            while start < bytes.count {
                let byte = bytes[start]
                var end = start + 1
                if byte <= 0x20 || byte == 0x7F {
                    start = end
                    continue
                }
                if byte >= 0x80 {
                    while end < bytes.count, bytes[end] & 0xC0 == 0x80 { end += 1 }
                } else if isWord(byte) {
                    while end < bytes.count, end - start < wordBytes, isWord(bytes[end]) { end += 1 }
                }
                body(start..<end)
                start = end
            }
        }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
    }
}
