import Domain

enum IteratorKind: IdentifierKind { static var prefix: StaticString { "itr" } }

typealias IteratorID = Identifier<IteratorKind>

/// Where a listing goes on, in the shape of the hosted API's offsets: `itrXXXXXXXXXXXXXX/recYYYYYYYYYYYYYY`.
///
/// Opaque to clients. What a forged one could say is harmless: a place in a table that its bearer may list
/// anyway, or a list that is kept for somebody who sees the same.
enum ListingOffset: Sendable, Hashable, LosslessStringConvertible {
    /// After a place in the table itself: needs nothing kept, and never expires.
    ///
    /// `given` is how many records the pages before held, for `maxRecords`.
    case table(position: Int64, given: Int)
    /// From an index on of a list that is kept.
    case kept(IteratorID, index: Int)

    /// An identifier for a list to keep; never one that `.table` would write.
    static func newIterator(using generator: inout some RandomNumberGenerator) -> IteratorID {
        while true {
            let id = IteratorID.random(using: &generator)
            if !isTable(id) { return id }
        }
    }

    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let iterator = IteratorID(String(parts[0])), parts[1].hasPrefix("rec"),
            let number = Self.number(parts[1].dropFirst(3)), let index = Int(exactly: number)
        else { return nil }
        if Self.isTable(iterator) {
            guard let position = Self.number(parts[0].dropFirst(3)) else { return nil }
            self = .table(position: position, given: index)
        } else {
            self = .kept(iterator, index: index)
        }
    }

    var description: String {
        switch self {
        case .table(let position, let given): "itr\(Self.text(position))/rec\(Self.text(Int64(given)))"
        case .kept(let id, let index): "\(id)/rec\(Self.text(Int64(index)))"
        }
    }

    private static func isTable(_ id: IteratorID) -> Bool { id.description.hasPrefix("itr0") }

    // MARK: Numbers of fourteen digits

    private static let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    /// Fourteen digits to the base 62; the first three are 0.
    private static func text(_ number: Int64) -> String {
        var bytes = [UInt8](repeating: digits[0], count: 14)
        var (rest, place) = (number, 13)
        while rest > 0 {
            bytes[place] = digits[Int(rest % 62)]
            rest /= 62
            place -= 1
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func number(_ text: Substring) -> Int64? {
        guard text.utf8.count == 14 else { return nil }
        var number: Int64 = 0
        for byte in text.utf8 {
            guard let digit = digits.firstIndex(of: byte) else { return nil }
            let (product, isTooLarge) = number.multipliedReportingOverflow(by: 62)
            let (sum, isBeyond) = product.addingReportingOverflow(Int64(digit))
            if isTooLarge || isBeyond { return nil }
            number = sum
        }
        return number
    }
}
