/// The word a tokenizer is reading, normalised, with where each of its bytes comes from.
///
/// Fixed memory, kept from word to word; the owner is one thread's scan of one text.
struct WordBuffer: ~Copyable {
    /// Bytes of the word so far.
    private(set) var count = 0
    /// FNV-1a of them, as for a piece that begins a word.
    private(set) var hash = Vocabulary.wordStart
    /// More characters than allowed: the bytes stop there, only the range goes on.
    private(set) var isOverlong = false

    private let charactersMax: Int
    private var characters = 0
    private var first = 0
    private var last = 0
    private let bytes: UnsafeMutablePointer<UInt8>
    /// Of each byte: the range of its character in the text.
    private let sources: UnsafeMutablePointer<Range<Int>>

    init(charactersMax: Int) {
        self.charactersMax = charactersMax
        bytes = .allocate(capacity: 4 * charactersMax)
        sources = .allocate(capacity: 4 * charactersMax)
    }

    deinit {
        bytes.deallocate()
        sources.deallocate()
    }

    /// Appends one character that stands at `start..<end` of the text.
    @inline(__always)
    mutating func append(_ scalar: UInt32, _ start: Int, _ end: Int) {
        if characters == 0 { first = start }
        last = end
        characters += 1
        guard characters <= charactersMax else {
            isOverlong = true
            return
        }
        if scalar < 0x80 {
            put(UInt8(truncatingIfNeeded: scalar), start..<end)
        } else {
            appendOther(scalar, start..<end)
        }
    }

    private mutating func appendOther(_ scalar: UInt32, _ source: Range<Int>) {
        // Table values are scalars and have an encoding.
        for byte in UTF8.encode(Unicode.Scalar(scalar)!)! { put(byte, source) }
    }

    /// An accent belongs to the character before it.
    mutating func extend(to end: Int) {
        guard characters > 0 else { return }
        last = end
        guard !isOverlong else { return }
        let start = sources[count - 1].lowerBound
        var position = count - 1
        while position >= 0, sources[position].lowerBound == start {
            sources[position] = start..<end
            position -= 1
        }
    }

    mutating func reset() {
        count = 0
        characters = 0
        hash = Vocabulary.wordStart
        isOverlong = false
    }

    subscript(position: Int) -> UInt8 { bytes[position] }

    /// The whole word in the text.
    var range: Range<Int> { first..<last }

    /// Where the bytes `start..<end` come from.
    func source(from start: Int, to end: Int) -> Range<Int> {
        sources[start].lowerBound..<sources[end - 1].upperBound
    }

    /// The bytes `start..<end`; valid until the next change.
    func text(from start: Int, to end: Int) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: bytes + start, count: end - start)
    }

    @inline(__always)
    private mutating func put(_ byte: UInt8, _ source: Range<Int>) {
        bytes[count] = byte
        (sources + count).initialize(to: source)
        hash = Vocabulary.step(hash, byte)
        count += 1
    }
}
