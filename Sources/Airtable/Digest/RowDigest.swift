import CKernels
import Database

/// What a row holds, in 64 bits, kept in a column of the row: SQLite has no checksums of its pages, so
/// a byte that flips inside a text would be read back as if somebody had written it.
///
/// A chain of XXH64 over the values in their order, each hash the seed of the next one, begun with the
/// table's name. The hash of a value takes in its kind and its length, so that neither values nor rows
/// of two tables can slide into each other. Not cryptographic: it finds damage (all but one in 2⁶⁴),
/// not a forger, who could write the digest too. The same on both databases.
struct RowDigest: Sendable {
    private var hash: UInt64

    init(table: StaticString) {
        hash = ck_xxh64(0, table.utf8Start, table.utf8CodeUnitCount)
    }

    /// The digest of `values` as this one goes on.
    func adding(_ values: some Sequence<SQLValue>) -> Self {
        var copy = self
        for value in values { copy.add(value) }
        return copy
    }

    mutating func add(_ value: SQLValue) {
        switch value {
        case .null: hash = ck_xxh64(hash &+ 1, nil, 0)
        case .integer(let number): add(word: UInt64(bitPattern: number), kind: 2)
        case .real(let number): add(word: number.bitPattern, kind: 3)
        case .text(let text): add(text)
        case .bytes(let bytes): hash = bytes.withUnsafeBytes { ck_xxh64(hash &+ 5, $0.baseAddress, $0.count) }
        }
    }

    mutating func add(_ number: Int64) { add(word: UInt64(bitPattern: number), kind: 2) }

    mutating func add(_ text: String) {
        var text = text
        hash = text.withUTF8 { ck_xxh64(hash &+ 4, $0.baseAddress, $0.count) }
    }

    private mutating func add(word: UInt64, kind: UInt64) {
        hash = withUnsafeBytes(of: word.littleEndian) { ck_xxh64(hash &+ kind, $0.baseAddress, $0.count) }
    }

    var sql: SQLValue { .integer(Int64(bitPattern: hash)) }
}
