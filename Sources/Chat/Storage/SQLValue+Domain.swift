import Database
import Domain

extension SQLValue {
    static func id(_ identifier: Identifier<some IdentifierKind>) -> Self { .text(identifier.description) }

    static func id(_ identifier: Identifier<some IdentifierKind>?) -> Self { Self(identifier?.description) }

    static func instant(_ instant: Instant) -> Self { .integer(instant.microseconds) }

    /// Any value as JSON text.
    static func json(_ value: some Encodable) throws -> Self {
        .text(String(decoding: try JSONCoder.encode(value), as: UTF8.self))
    }
}

extension Row {
    func identifier<Kind>(_ position: Int, of table: String) throws -> Identifier<Kind> {
        guard let identifier = Identifier<Kind>(try text(position)) else {
            throw ChatError.corrupt(table, "no identifier in column \(position)")
        }
        return identifier
    }

    func optionalIdentifier<Kind>(_ position: Int, of table: String) throws -> Identifier<Kind>? {
        try optionalText(position) == nil ? nil : try identifier(position, of: table)
    }

    func instant(_ position: Int) throws -> Instant { Instant(microseconds: try integer(position)) }

    func json<T: Decodable>(_ type: T.Type, _ position: Int, of table: String) throws -> T {
        do {
            return try JSONCoder.decode(type, from: Array(try text(position).utf8), limits: .trusted)
        } catch {
            throw ChatError.corrupt(table, "column \(position): \(error)")
        }
    }

    func value<T: RawRepresentable<String>>(_ type: T.Type, _ position: Int, of table: String) throws -> T {
        guard let value = T(rawValue: try text(position)) else {
            throw ChatError.corrupt(table, "an unknown word in column \(position)")
        }
        return value
    }
}
