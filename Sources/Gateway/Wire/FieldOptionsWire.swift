import Airtable
import Domain

/// Field options in the shapes of Airtable's own metadata API.
enum FieldOptionsWire {
    /// Nil for types without options.
    static func json(of field: Field) -> JSONValue? {
        FieldOptions.wire(of: shown(field)).map { .object($0) }
    }

    /// Clients expect the precision of every number: where a formula leaves it open, the one that shows all of it.
    private static func shown(_ field: Field) -> Field {
        guard let result = field.options.result, result.type == .number || result.type == .percent,
            result.options.precision == nil
        else { return field }
        var (field, options) = (field, result.options)
        options.precision = 8
        field.options.result = .of(result.type, options)
        return field
    }
}
