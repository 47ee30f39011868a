/// The column names of a result, shared by all its rows.
final class RowColumns: Sendable {
    let names: [String]

    init(_ names: [String]) { self.names = names }

    func position(of name: String) -> Int? { names.firstIndex(of: name) }
}

/// One row of a result. Columns are read by position (from 0) or by name.
///
/// The typed readers throw `unexpectedType` when the column holds something else, without showing it.
public struct Row: Sendable {
    private let columns: RowColumns
    /// In column order.
    public let values: [SQLValue]

    init(columns: RowColumns, values: [SQLValue]) {
        self.columns = columns
        self.values = values
    }

    public var count: Int { values.count }

    public var columnNames: [String] { columns.names }

    /// The value at `position`, which must be smaller than `count`.
    public subscript(position: Int) -> SQLValue { values[position] }

    /// The value of the column called `name`; null when there is none.
    public subscript(name: String) -> SQLValue { columns.position(of: name).map { values[$0] } ?? .null }

    public func integer(_ position: Int) throws(DatabaseError) -> Int64 {
        guard let value = try optionalInteger(position) else { throw mismatch(position, "integer") }
        return value
    }

    /// Integers are given as reals too: SQLite returns `1.0` from an INTEGER column as `1`.
    public func real(_ position: Int) throws(DatabaseError) -> Double {
        guard let value = try optionalReal(position) else { throw mismatch(position, "real") }
        return value
    }

    public func text(_ position: Int) throws(DatabaseError) -> String {
        guard let value = try optionalText(position) else { throw mismatch(position, "text") }
        return value
    }

    public func bytes(_ position: Int) throws(DatabaseError) -> [UInt8] {
        guard let value = try optionalBytes(position) else { throw mismatch(position, "bytes") }
        return value
    }

    /// An integer that is 0 or 1.
    public func bool(_ position: Int) throws(DatabaseError) -> Bool {
        switch try integer(position) {
        case 0: return false
        case 1: return true
        default: throw .unexpectedType("column \(name(of: position)): expected 0 or 1, received another integer")
        }
    }

    public func optionalInteger(_ position: Int) throws(DatabaseError) -> Int64? {
        switch try value(position) {
        case .integer(let value): return value
        case .null: return nil
        default: throw mismatch(position, "integer")
        }
    }

    public func optionalReal(_ position: Int) throws(DatabaseError) -> Double? {
        switch try value(position) {
        case .real(let value): return value
        case .integer(let value): return Double(value)
        case .null: return nil
        default: throw mismatch(position, "real")
        }
    }

    public func optionalText(_ position: Int) throws(DatabaseError) -> String? {
        switch try value(position) {
        case .text(let value): return value
        case .null: return nil
        default: throw mismatch(position, "text")
        }
    }

    public func optionalBytes(_ position: Int) throws(DatabaseError) -> [UInt8]? {
        switch try value(position) {
        case .bytes(let value): return value
        case .null: return nil
        default: throw mismatch(position, "bytes")
        }
    }

    private func value(_ position: Int) throws(DatabaseError) -> SQLValue {
        guard values.indices.contains(position) else {
            throw .unexpectedType("column \(position): the result has \(values.count) columns")
        }
        return values[position]
    }

    private func mismatch(_ position: Int, _ expected: String) -> DatabaseError {
        .unexpectedType("column \(name(of: position)): expected \(expected), received \(values[position].kindName)")
    }

    private func name(of position: Int) -> String {
        columns.names.indices.contains(position) ? "\"\(columns.names[position])\"" : "\(position)"
    }
}

extension Row {
    public func integer(_ name: String) throws(DatabaseError) -> Int64 { try integer(position(of: name)) }
    public func real(_ name: String) throws(DatabaseError) -> Double { try real(position(of: name)) }
    public func text(_ name: String) throws(DatabaseError) -> String { try text(position(of: name)) }
    public func bytes(_ name: String) throws(DatabaseError) -> [UInt8] { try bytes(position(of: name)) }
    public func bool(_ name: String) throws(DatabaseError) -> Bool { try bool(position(of: name)) }
    public func optionalInteger(_ name: String) throws(DatabaseError) -> Int64? {
        try optionalInteger(position(of: name))
    }
    public func optionalReal(_ name: String) throws(DatabaseError) -> Double? { try optionalReal(position(of: name)) }
    public func optionalText(_ name: String) throws(DatabaseError) -> String? { try optionalText(position(of: name)) }
    public func optionalBytes(_ name: String) throws(DatabaseError) -> [UInt8]? {
        try optionalBytes(position(of: name))
    }

    private func position(of name: String) throws(DatabaseError) -> Int {
        guard let position = columns.position(of: name) else {
            throw .unexpectedType(
                "no column is called \"\(name)\"; the result has \(columns.names.joined(separator: ", "))"
            )
        }
        return position
    }
}
