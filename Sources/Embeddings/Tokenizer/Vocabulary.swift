/// The pieces of a WordPiece vocabulary, found by their bytes: two open-addressed tables in one, of pieces that begin
/// a word and of pieces that go on with one ("##ing", kept without the mark).
///
/// A lookup walks a word byte by byte with a rolling hash (FNV-1a) and asks for each prefix: no String, no
/// allocation, about 3 ns a question.
struct Vocabulary: Sendable {
    /// Bytes of the longest piece, so that no longer prefix is asked for.
    let pieceBytesMax: Int
    /// UTF-8 of all pieces, one after the other.
    private let bytes: [UInt8]
    private let slots: [Slot]

    struct Slot: Sendable {
        var hash: UInt64 = 0
        /// Into `bytes`.
        var start: Int32 = 0
        var count: Int32 = 0
        /// -1: free.
        var id: Int32 = -1
        var padding: Int32 = 0
    }

    init(_ pieces: [[UInt8]], continuation: [UInt8]) {
        var entries: [(hash: UInt64, text: ArraySlice<UInt8>, id: Int32)] = []
        entries.reserveCapacity(2 * pieces.count)
        for (id, piece) in pieces.enumerated() where !piece.isEmpty {
            entries.append((Self.hash(piece[...], Self.wordStart), piece[...], Int32(id)))
            if piece.count > continuation.count, piece.starts(with: continuation) {
                let rest = piece[continuation.count...]
                entries.append((Self.hash(rest, Self.wordRest), rest, Int32(id)))
            }
        }
        var capacity = 16
        while capacity < 2 * entries.count { capacity *= 2 }
        var slots = [Slot](repeating: Slot(), count: capacity)
        var bytes: [UInt8] = []
        for entry in entries {
            var slot = Self.slot(entry.hash, capacity)
            while slots[slot].id >= 0 { slot = (slot + 1) & (capacity - 1) }
            slots[slot] = Slot(
                hash: entry.hash,
                start: Int32(bytes.count),
                count: Int32(entry.text.count),
                id: entry.id
            )
            bytes += entry.text
        }
        self.bytes = bytes
        self.slots = slots
        pieceBytesMax = entries.map(\.text.count).max() ?? 0
    }

    static let wordStart: UInt64 = 0xCBF2_9CE4_8422_2325
    static let wordRest: UInt64 = 0x9AE1_6A3B_2F90_404F

    @inline(__always)
    static func step(_ hash: UInt64, _ byte: UInt8) -> UInt64 { (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }

    @inline(__always)
    private static func slot(_ hash: UInt64, _ capacity: Int) -> Int {
        Int(truncatingIfNeeded: hash ^ hash >> 29) & (capacity - 1)
    }

    private static func hash(_ text: ArraySlice<UInt8>, _ seed: UInt64) -> UInt64 {
        text.reduce(seed, step)
    }

    /// Runs `body` with the tables as plain memory.
    func withTables<T>(_ body: (Tables) -> T) -> T {
        slots.withUnsafeBufferPointer { slots in
            bytes.withUnsafeBufferPointer { bytes in body(Tables(slots: slots, bytes: bytes, longest: pieceBytesMax)) }
        }
    }

    struct Tables {
        let slots: UnsafeBufferPointer<Slot>
        let bytes: UnsafeBufferPointer<UInt8>
        let longest: Int

        /// The number of the piece whose bytes are `text` and hash to `hash`; -1 when there is none.
        @inline(__always)
        func find(_ hash: UInt64, _ text: UnsafeBufferPointer<UInt8>) -> Int32 {
            var position = Vocabulary.slot(hash, slots.count)
            while true {
                let slot = slots[position]
                if slot.id < 0 { return -1 }
                if slot.hash == hash, Int(slot.count) == text.count {
                    var same = true
                    for index in 0..<text.count where bytes[Int(slot.start) + index] != text[index] { same = false }
                    if same { return slot.id }
                }
                position = (position + 1) & (slots.count - 1)
            }
        }
    }
}
