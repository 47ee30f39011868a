import Database
import Domain

extension SQLValue {
    static func id(_ identifier: Identifier<some IdentifierKind>) -> Self { .text(identifier.description) }

    static func instant(_ instant: Instant?) -> Self { Self(instant?.microseconds) }
}

extension Row {
    func identifier<Kind>(_ position: Int, of table: String) throws -> Identifier<Kind> {
        guard let identifier = Identifier<Kind>(try text(position)) else {
            throw AccessError.corrupt(table, "no identifier in column \(position)")
        }
        return identifier
    }
}
