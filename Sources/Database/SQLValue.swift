/// A value on its way to or from the database.
public enum SQLValue: Sendable, Hashable {
    case null
    case integer(Int64)
    /// Never NaN: SQLite would store NULL for it, so it is refused.
    case real(Double)
    /// Without U+0000: PostgreSQL can't store it, so it is refused on both engines.
    case text(String)
    case bytes([UInt8])
}

extension SQLValue {
    public init(_ value: Int) { self = .integer(Int64(value)) }
    public init(_ value: Int64) { self = .integer(value) }
    public init(_ value: Double) { self = .real(value) }
    public init(_ value: String) { self = .text(value) }
    public init(_ value: [UInt8]) { self = .bytes(value) }
    /// 0 or 1, as both engines store it.
    public init(_ value: Bool) { self = .integer(value ? 1 : 0) }

    public init(_ value: Int?) { self = value.map { .integer(Int64($0)) } ?? .null }
    public init(_ value: Int64?) { self = value.map { .integer($0) } ?? .null }
    public init(_ value: Double?) { self = value.map { .real($0) } ?? .null }
    public init(_ value: String?) { self = value.map { .text($0) } ?? .null }
    public init(_ value: [UInt8]?) { self = value.map { .bytes($0) } ?? .null }
    public init(_ value: Bool?) { self = value.map { .integer($0 ? 1 : 0) } ?? .null }

    /// The kind of the value, for messages that mustn't show it.
    public var kindName: String {
        switch self {
        case .null: "null"
        case .integer: "integer"
        case .real: "real"
        case .text: "text"
        case .bytes: "bytes"
        }
    }

    /// Refuses what one of the engines can't keep as it is; `position` counts from 1.
    func validate(position: Int) throws(DatabaseError) {
        switch self {
        case .real(let value) where value.isNaN:
            throw .invalidArgument("argument $\(position) is not a number (NaN)")
        case .text(let text) where text.holdsNUL:
            throw .invalidArgument("argument $\(position) is text that contains U+0000; store it as bytes")
        default:
            break
        }
    }
}

extension String {
    fileprivate var holdsNUL: Bool {
        var text = self
        return text.withUTF8 { bytes in
            // Without a way out of the loop it runs on vectors.
            var found = false
            for byte in bytes { found = found || byte == 0 }
            return found
        }
    }
}

extension SQLValue: ExpressibleByNilLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByStringLiteral, ExpressibleByStringInterpolation
{
    public init(nilLiteral: ()) { self = .null }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(floatLiteral value: Double) { self = .real(value) }
    public init(stringLiteral value: String) { self = .text(value) }
}
