import Domain

/// Cuts texts into batches that one request takes: by count, and by tokens as far as they can be told beforehand.
struct GeminiEmbeddingBatches {
    /// A bound from above for all but the rarest scripts: no tokenizer of theirs makes more of a text's bytes.
    static func tokensMax(_ text: String) -> Int { text.utf8.count / 3 + 1 }

    /// Ranges of positions in `texts`, in order. A text beyond the bound of tokens goes alone.
    static func ranges(
        _ texts: [String],
        countMax: Int = Limits.remoteBatchTexts,
        tokensMax: Int = Limits.remoteBatchTokens
    ) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var start = 0
        var tokens = 0
        for position in texts.indices {
            let count = Self.tokensMax(texts[position])
            if position > start, position - start == countMax || tokens + count > tokensMax {
                ranges.append(start..<position)
                start = position
                tokens = 0
            }
            tokens += count
        }
        if start < texts.count { ranges.append(start..<texts.count) }
        return ranges
    }
}
