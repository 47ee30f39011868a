import Airtable
import Domain

/// Field options in the shapes of Airtable's own metadata API.
enum FieldOptionsWire {
    /// Nil for types without options.
    static func json(of field: Field) -> JSONValue? { FieldOptions.wire(of: field).map { .object($0) } }
}
