/// One text as the model reads it.
struct TokenizedText: Sendable {
    let ids: [Int32]
    let isTruncated: Bool
}

/// Which texts are encoded together: blocks of similar length, of at most some hundred tokens.
///
/// The bound is on tokens, not texts: it keeps the activations of a block near the L2 cache and its time short
/// whatever the texts' lengths are. Longest first, so that the last blocks are the small ones and all threads end
/// at about the same time.
struct EncodingPlan: Sendable {
    /// Positions of texts, block by block.
    let blocks: [[Int]]

    /// Tokens of a block at most. Measured on Zen 4 (1 MiB L2): see `docs/performance.md`.
    static let blockTokens = 256
    /// Below this a block is not split among threads: products with fewer rows cost more a row.
    private static let blockTokensMin = 64
    /// Bytes of a call that is tokenized and encoded in one go: about 200 tokens.
    private static let oneStepBytes = 1_024
    /// Bytes that are tokenized in one go: a few milliseconds.
    private static let tokenizerBytes = 16_384

    init(_ tokenCounts: [Int], threads: Int) {
        let total = tokenCounts.reduce(0, +)
        let share = (total + threads - 1) / threads
        let room = min(Self.blockTokens, max(Self.blockTokensMin, share))
        let order = tokenCounts.indices.sorted { (tokenCounts[$1], $0) < (tokenCounts[$0], $1) }
        var blocks: [[Int]] = []
        var filled = 0
        for position in order {
            if blocks.isEmpty || filled + tokenCounts[position] > room {
                blocks.append([])
                filled = 0
            }
            blocks[blocks.count - 1].append(position)
            filled += tokenCounts[position]
        }
        self.blocks = blocks
    }

    /// Whether `texts` are so few and short that splitting the work would cost more than it gains.
    static func fitsOneStep(_ texts: [String]) -> Bool {
        texts.count <= 16 && texts.reduce(0) { $0 + $1.utf8.count } <= oneStepBytes
    }

    /// Cuts `texts` into runs that take about equally long to tokenize.
    static func tokenizerPieces(_ texts: [String]) -> [Range<Int>] {
        var pieces: [Range<Int>] = []
        var start = 0
        var bytes = 0
        for position in texts.indices {
            bytes += texts[position].utf8.count
            if bytes >= tokenizerBytes {
                pieces.append(start..<position + 1)
                start = position + 1
                bytes = 0
            }
        }
        if start < texts.count { pieces.append(start..<texts.count) }
        return pieces
    }
}
