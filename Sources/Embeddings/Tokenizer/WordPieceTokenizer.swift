/// BERT's tokenizer: cleaning, accents, CJK, lower case, punctuation, then the longest pieces that match.
///
/// Token numbers are exactly those of the reference (Hugging Face `tokenizers`); algorithm: Wu et al. 2016 (greedy
/// longest match first), in the form of BERT's `tokenization.py`. Immutable: share it between threads.
///
/// ASCII takes a short way: one table look-up a byte, one hash of the word. Other scalars are looked up in pages of
/// classes (`CharacterTable`). A word is looked up whole first, which finds four of five; only the others are cut.
package final class WordPieceTokenizer: Sendable {
    /// Bound of the setting `max_input_chars_per_word`, because a word is held in fixed memory.
    static let wordCharactersMax = 1_000

    let prefix: [Int32]
    let suffix: [Int32]
    private let unknown: Int32
    private let vocabulary: Vocabulary
    private let characters: CharacterTable
    private let wordCharactersLimit: Int
    private let specials: [TokenizerDefinition.Special]
    /// Whether a special token begins with this byte.
    private let specialStarts: [Bool]

    init(_ definition: TokenizerDefinition) {
        prefix = definition.prefix
        suffix = definition.suffix
        unknown = definition.unknown
        vocabulary = Vocabulary(definition.pieces, continuation: definition.continuation)
        characters = CharacterTable(definition.rules)
        wordCharactersLimit = definition.wordCharactersLimit
        // The longest of those that match wins.
        specials = definition.specials.sorted { $0.text.count > $1.text.count }
        var starts = [Bool](repeating: false, count: 256)
        for special in specials { starts[Int(special.text[0])] = true }
        specialStarts = starts
    }

    /// The tokenizer of a model's directory, for tests and tools that need no weights.
    package convenience init(directory: String) throws {
        let files = try ModelFiles(directory: directory)
        let configuration = try ModelConfiguration(files: files)
        self.init(try TokenizerDefinition(files: files, vocabularySize: configuration.vocabularySize))
    }

    /// Tokens of `text` in order, without the model's own special ones, at most `limit`.
    package func tokens(of text: String, limit: Int = .max) -> [TokenSpan] {
        var text = text
        return text.withUTF8 { bytes in
            vocabulary.withTables { tables in
                characters.ascii.withUnsafeBufferPointer { ascii in
                    specialStarts.withUnsafeBufferPointer { starts in
                        var scan = Scan(self, bytes, tables, ascii, starts, limit)
                        return scan.run()
                    }
                }
            }
        }
    }

    /// What the model reads of `text`: its special tokens round at most `limit` tokens in all.
    package func input(_ text: String, limit: Int) -> (ids: [Int32], isTruncated: Bool) {
        let room = max(0, limit - prefix.count - suffix.count)
        let spans = tokens(of: text, limit: room + 1)
        var ids: [Int32] = []
        ids.reserveCapacity(min(spans.count, room) + prefix.count + suffix.count)
        ids += prefix
        for span in spans.prefix(room) { ids.append(span.id) }
        ids += suffix
        return (ids, spans.count > room)
    }

    /// One pass over one text. The word under construction stands in `word`, in normalised form.
    private struct Scan: ~Copyable {
        let tokenizer: WordPieceTokenizer
        let text: UnsafeBufferPointer<UInt8>
        let tables: Vocabulary.Tables
        let ascii: UnsafeBufferPointer<CharacterClass>
        let specialStarts: UnsafeBufferPointer<Bool>
        let limit: Int
        var word: WordBuffer
        var page: (number: UInt32, page: CharacterTable.Page)?
        var spans: [TokenSpan] = []

        init(
            _ tokenizer: WordPieceTokenizer,
            _ text: UnsafeBufferPointer<UInt8>,
            _ tables: Vocabulary.Tables,
            _ ascii: UnsafeBufferPointer<CharacterClass>,
            _ specialStarts: UnsafeBufferPointer<Bool>,
            _ limit: Int
        ) {
            self.tokenizer = tokenizer
            self.text = text
            self.tables = tables
            self.ascii = ascii
            self.specialStarts = specialStarts
            self.limit = limit
            word = WordBuffer(charactersMax: tokenizer.wordCharactersLimit)
        }

        mutating func run() -> [TokenSpan] {
            spans.reserveCapacity(min(text.count / 4 + 4, limit))
            var position = 0
            while position < text.count, spans.count < limit {
                let byte = text[position]
                if specialStarts[Int(byte)], let special = special(at: position) {
                    finishWord()
                    spans.append(TokenSpan(id: special.id, utf8: position..<position + special.text.count))
                    position += special.text.count
                } else if byte < 0x80 {
                    take(ascii[Int(byte)], position, position + 1)
                    position += 1
                } else {
                    let (scalar, end) = decode(position)
                    takeOther(scalar, position, end)
                    position = end
                }
            }
            finishWord()
            if spans.count > limit { spans.removeLast(spans.count - limit) }
            return spans
        }

        /// Adds what a scalar at `start..<end` has become.
        @inline(__always)
        private mutating func take(_ character: CharacterClass, _ start: Int, _ end: Int) {
            switch character.kind {
            case .letter:
                word.append(character.value, start, end)
            case .space:
                finishWord()
            case .single:
                finishWord()
                word.append(character.value, start, end)
                finishWord()
            case .mark:
                word.extend(to: end)
            case .dropped, .sequence, .singleSequence:
                break
            }
        }

        private mutating func takeOther(_ scalar: Unicode.Scalar, _ start: Int, _ end: Int) {
            let number = scalar.value >> 8
            if page?.number != number { page = (number, tokenizer.characters.page(of: scalar)) }
            guard let page = page?.page else { return }
            let character = page.classes[Int(scalar.value & 0xFF)]
            guard character.kind == .sequence || character.kind == .singleSequence else {
                return take(character, start, end)
            }
            if character.kind == .singleSequence { finishWord() }
            for part in page.sequences[Int(character.value)] { take(part, start, end) }
            if character.kind == .singleSequence { finishWord() }
        }

        /// The scalar at `position` of valid UTF-8, and where it ends.
        private func decode(_ position: Int) -> (Unicode.Scalar, Int) {
            let lead = UInt32(text[position])
            func next(_ step: Int) -> UInt32 { UInt32(text[position + step]) & 0x3F }
            let (value, length): (UInt32, Int) =
                switch lead {
                case ..<0xE0: ((lead & 0x1F) << 6 | next(1), 2)
                case ..<0xF0: ((lead & 0x0F) << 12 | next(1) << 6 | next(2), 3)
                default: ((lead & 0x07) << 18 | next(1) << 12 | next(2) << 6 | next(3), 4)
                }
            return (Unicode.Scalar(value) ?? "\u{FFFD}", position + length)
        }

        private func special(at position: Int) -> TokenizerDefinition.Special? {
            tokenizer.specials.first { special in
                let bytes = special.text
                guard text.count - position >= bytes.count else { return false }
                for index in bytes.indices where text[position + index] != bytes[index] { return false }
                return true
            }
        }

        /// Cuts the word into pieces and begins a new one.
        private mutating func finishWord() {
            guard word.count > 0 || word.isOverlong else { return }
            defer { word.reset() }
            if word.isOverlong {
                spans.append(TokenSpan(id: tokenizer.unknown, utf8: word.range))
                return
            }
            let whole = tables.find(word.hash, word.text(from: 0, to: word.count))
            if whole >= 0 {
                spans.append(TokenSpan(id: whole, utf8: word.range))
                return
            }
            let mark = spans.count
            var start = 0
            while start < word.count {
                guard let (id, end) = longestPiece(from: start) else {
                    // One part unknown makes the whole word unknown.
                    spans.removeLast(spans.count - mark)
                    spans.append(TokenSpan(id: tokenizer.unknown, utf8: word.range))
                    return
                }
                spans.append(TokenSpan(id: id, utf8: word.source(from: start, to: end)))
                start = end
            }
        }

        private func longestPiece(from start: Int) -> (id: Int32, end: Int)? {
            var hash = start == 0 ? Vocabulary.wordStart : Vocabulary.wordRest
            var best: (id: Int32, end: Int)?
            var end = start
            let last = min(word.count, start + tables.longest)
            while end < last {
                hash = Vocabulary.step(hash, word[end])
                end += 1
                // Only at a character's end.
                if end < word.count, word[end] & 0xC0 == 0x80 { continue }
                let id = tables.find(hash, word.text(from: start, to: end))
                if id >= 0 { best = (id, end) }
            }
            return best
        }
    }
}
