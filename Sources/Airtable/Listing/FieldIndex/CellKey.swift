import CKernels
import Database

/// A cell's value in 64 bits: what an index of a field holds.
///
/// Texts and numbers have one each (XXH64); whatever is neither, such as a list, has the same one. Two values may share
/// a key, so who looks up by it compares again.
struct CellKey: Sendable, Hashable {
    private let bits: UInt64

    init(text: String) {
        var text = text
        bits = text.withUTF8 { ck_xxh64(1, $0.baseAddress, $0.count) }
    }

    /// −0 is 0.
    init(number: Double) {
        bits = withUnsafeBytes(of: (number + 0).bitPattern.littleEndian) { ck_xxh64(2, $0.baseAddress, $0.count) }
    }

    private init(bits: UInt64) { self.bits = bits }

    static let composite = CellKey(bits: ck_xxh64(3, nil, 0))

    /// Of a value as it is compared with cells; nil for what is none.
    init?(_ value: SQLValue) {
        switch value {
        case .text(let text): self.init(text: text)
        case .real(let number): self.init(number: number)
        case .integer(let number): self.init(number: Double(number))
        case .null, .bytes: return nil
        }
    }

    /// As the database sorts it.
    var order: Int64 { Int64(bitPattern: bits) }

    var sql: SQLValue { .integer(order) }
}

/// The index of one field of one table.
struct FieldIndex: Sendable {
    let tableNumber: Int64
    let ordinal: Int
    /// Rows up to here are in it; with `isReady` all are.
    let builtTo: Int64
    let isReady: Bool

    /// Table and field in one number, for every row of the index has it.
    var number: Int64 { Self.range(tableNumber: tableNumber).lowerBound + Int64(ordinal) }

    /// The numbers of all indexes of a table.
    static func range(tableNumber: Int64) -> ClosedRange<Int64> {
        (tableNumber << ordinalBits)...((tableNumber + 1) << ordinalBits - 1)
    }

    /// Fields a table may ever have had, deleted ones included.
    static let ordinalBits: Int64 = 20
}
