import Database
import Formula

/// Writes conditions as SQL.
///
/// SQLite reads cells by our own `cell_of`, PostgreSQL by its JSON operators: both give the very number and the very
/// text that the evaluator reads. Texts compare by code point on both.
struct ConditionWriter {
    private let dialect: SQLDialect
    private var firstParameter: Int
    private(set) var arguments: [SQLValue] = []

    /// - Parameter firstParameter: the number of the first placeholder that the query does not use itself.
    init(_ dialect: SQLDialect, firstParameter: Int) {
        self.dialect = dialect
        self.firstParameter = firstParameter
    }

    mutating func write(_ condition: CellCondition) -> String {
        switch condition {
        case .always(let holds): return holds ? "1 = 1" : "1 = 0"
        case .present(let cell): return "\(read(cell, .anything)) IS NOT NULL"
        case .compare(let cell, let comparison, let value): return compare(cell, comparison, value)
        case .compareCells(let left, let comparison, let right):
            let none = left.form == .number ? "0" : "''"
            let sides = [left, right].map { "COALESCE(\(read($0, $0.form)), \(none))" }
            return "\(sides[0])\(collation(left.form)) \(sign(comparison)) \(sides[1])"
        case .isOne(let cell, let texts):
            if texts.isEmpty { return "1 = 0" }
            let places = texts.map { parameter(.text($0)) }.joined(separator: ", ")
            return twoValued("\(read(cell, .text)) IN (\(places))")
        case .contains(let cell, let text):
            let place = parameter(.text(text))
            switch dialect {
            case .sqlite: return "COALESCE(INSTR(CAST(\(read(cell, .text)) AS TEXT), \(place)), 0) > 0"
            case .postgres: return "COALESCE(STRPOS(\(read(cell, .text)), \(place)), 0) > 0"
            }
        case .isText(let cell): return isForm(cell, sqlite: "'text'", postgres: "'string'")
        case .isComposite(let cell):
            return isForm(cell, sqlite: "'blob'", postgres: "'object', 'array', 'boolean', 'null'")
        case .recordID(let comparison, let id):
            return "id\(collation(.text)) \(sign(comparison)) \(parameter(.text(id)))"
        case .created(let comparison, let moment): return "created \(sign(comparison)) \(parameter(.integer(moment)))"
        case .all(let parts): return list(parts, " AND ")
        case .any(let parts): return list(parts, " OR ")
        case .not(let part): return "NOT (\(write(part)))"
        }
    }

    private mutating func list(_ parts: [CellCondition], _ separator: String) -> String {
        "(" + parts.map { write($0) }.joined(separator: separator) + ")"
    }

    private mutating func compare(
        _ cell: StoredCell,
        _ comparison: FormulaComparison,
        _ value: SQLValue
    ) -> String {
        let test = "\(read(cell, cell.form))\(collation(cell.form)) \(sign(comparison)) \(parameter(value))"
        switch (cell.form, dialect) {
        case (.computedText, .sqlite): return twoValued("\(isText(cell)) AND \(test)")
        case (.computedNumber, .sqlite): return twoValued("TYPEOF(\(read(cell, .anything))) = 'real' AND \(test)")
        // CASE alone promises that what is no number is not read as one.
        case (.computedText, .postgres): return "CASE WHEN \(isText(cell)) THEN \(test) ELSE FALSE END"
        case (.computedNumber, .postgres):
            return "CASE WHEN COALESCE(\(postgresForm(cell)) = 'number', FALSE) THEN \(test) ELSE FALSE END"
        default: return twoValued(test)
        }
    }

    private func isText(_ cell: StoredCell) -> String { isForm(cell, sqlite: "'text'", postgres: "'string'") }

    private func isForm(_ cell: StoredCell, sqlite: String, postgres: String) -> String {
        switch dialect {
        case .sqlite: "TYPEOF(\(read(cell, .anything))) = \(sqlite)"
        case .postgres: twoValued("\(postgresForm(cell)) IN (\(postgres))")
        }
    }

    private func postgresForm(_ cell: StoredCell) -> String { "JSON_TYPEOF(cells::json -> '\(cell.ordinal)')" }

    private func twoValued(_ test: String) -> String { "COALESCE(\(test), FALSE)" }

    private func read(_ cell: StoredCell, _ form: StoredCell.Form) -> String {
        Self.cell(cell.ordinal, form, dialect)
    }

    /// SQL for one scalar cell: a number for numbers and moments, else text. On SQLite it has the form that is stored.
    static func cell(_ ordinal: Int, _ form: StoredCell.Form, _ dialect: SQLDialect) -> String {
        if dialect == .sqlite { return "cell_of(cells, \(ordinal))" }
        return switch form {
        case .number, .computedNumber: "CAST(cells::json ->> '\(ordinal)' AS double precision)"
        case .moment: "CAST(cells::json ->> '\(ordinal)' AS bigint)"
        case .text, .computedText, .anything: "(cells::json ->> '\(ordinal)')"
        }
    }

    /// SQLite compares texts by their bytes anyway.
    private func collation(_ form: StoredCell.Form) -> String {
        switch (dialect, form) {
        case (.postgres, .text), (.postgres, .computedText): " COLLATE \"C\""
        default: ""
        }
    }

    private func sign(_ comparison: FormulaComparison) -> String {
        comparison == .notEqual ? "<>" : comparison.rawValue
    }

    private mutating func parameter(_ value: SQLValue) -> String {
        arguments.append(value)
        defer { firstParameter += 1 }
        return "$\(firstParameter)"
    }
}
