import Domain

/// The address of a resource: `airtable://{baseId}/schema`, `airtable://{baseId}/{table}/schema`,
/// `airtable://{baseId}/{table}/{recordId}` or `airtable://{baseId}/{table}/views/{view}`.
///
/// Read and written by RFC 3986: a place holds any text, each byte that is not unreserved as `%` and two digits, which is
/// what RFC 6570 makes of it too. No two of the four forms have an address in common. Tables and views are named or given
/// by identifier; what the server hands out has identifiers.
enum ResourceAddress: Sendable, Hashable {
    case base(BaseID)
    case table(String, BaseID)
    case record(RecordID, table: String, BaseID)
    /// - Parameter offset: where a later page begins, as the page before said: `…/views/{view}?offset=…`.
    case view(String, table: String, BaseID, offset: String?)

    var base: BaseID {
        switch self {
        case .base(let base), .table(_, let base), .record(_, _, let base), .view(_, _, let base, _): base
        }
    }

    /// What the permission must be to read it, as of the tool that reads the same.
    var permission: Permission {
        switch self {
        case .base, .table: .schemaRead
        case .record, .view: .recordsRead
        }
    }

    static func table(_ table: Table) -> Self { .table(table.id.description, table.base) }

    static func record(_ record: RecordID, of table: Table) -> Self {
        .record(record, table: table.id.description, table.base)
    }

    static func view(_ view: ViewID, of table: Table, offset: String? = nil) -> Self {
        .view(view.description, table: table.id.description, table.base, offset: offset)
    }

    // MARK: Writing

    var uri: String {
        let base = "airtable://\(base)/"
        return switch self {
        case .base: base + "schema"
        case .table(let table, _): base + Self.encoded(table) + "/schema"
        case .record(let record, let table, _): base + "\(Self.encoded(table))/\(record)"
        case .view(let view, let table, _, let offset):
            base + "\(Self.encoded(table))/views/\(Self.encoded(view))"
                + (offset.map { "?offset=" + Self.encoded($0) } ?? "")
        }
    }

    private static func encoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if isUnreserved(byte) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), hexDigits[Int(byte >> 4)], hexDigits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: Reading

    /// Nil for what is none of the four.
    init?(_ uri: String) {
        guard uri.utf8.count <= Limits.resourceAddressBytes else { return nil }
        let scheme = "airtable://"
        // Schemes are the same in any case.
        guard uri.prefix(scheme.count).lowercased() == scheme else { return nil }
        let halves = uri.utf8.dropFirst(scheme.utf8.count)
            .split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
        let segments = halves[0].split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            .map { Self.decoded($0) }
        let places = segments.compactMap(\.self).filter { !$0.isEmpty }
        guard places.count == segments.count, let base = places.first.flatMap({ BaseID($0) }) else { return nil }
        var offset: String?
        if halves.count == 2 {
            let name = "offset=".utf8
            guard places.count == 4, halves[1].starts(with: name) else { return nil }
            offset = Self.decoded(halves[1].dropFirst(name.count))
            if offset == nil { return nil }
        }
        switch places.count {
        case 2 where places[1] == "schema": self = .base(base)
        case 3 where places[2] == "schema": self = .table(places[1], base)
        case 3:
            guard let record = RecordID(places[2]) else { return nil }
            self = .record(record, table: places[1], base)
        case 4 where places[2] == "views": self = .view(places[3], table: places[1], base, offset: offset)
        default: return nil
        }
    }

    /// - Returns: nil for a byte that no address holds, an escape without its digits, and what is not UTF-8.
    private static func decoded(_ segment: Substring.UTF8View) -> String? {
        var bytes: [UInt8] = []
        var rest = segment[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                guard let high = rest.popFirst().flatMap(hexValue), let low = rest.popFirst().flatMap(hexValue) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            } else if isUnreserved(byte) || others.contains(byte) {
                bytes.append(byte)
            } else {
                return nil
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }

    /// The other characters of a path's segment: sub-delims, `:` and `@`.
    private static let others = Set("!$&'()*+,;=:@".utf8)
    private static let hexDigits = Array("0123456789ABCDEF".utf8)
}
