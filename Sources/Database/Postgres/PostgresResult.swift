import CLibpq

/// Reads the values of a libpq result, which its owner keeps alive meanwhile.
struct PostgresResult {
    let result: OpaquePointer
    let columns: RowColumns
    let types: [Oid]
    let isBinary: Bool

    init(_ result: OpaquePointer, of statement: PostgresStatement) {
        self.result = result
        columns = statement.columns
        types = statement.columnTypes
        isBinary = statement.isBinary
    }

    /// The columns of `result`, a description or a result with rows.
    static func columns(of result: OpaquePointer) -> (names: RowColumns, types: [Oid]) {
        let range = 0..<PQnfields(result)
        let names = range.map { PQfname(result, $0).map { String(cString: $0) } ?? "" }
        return (RowColumns(names), range.map { PQftype(result, $0) })
    }

    var rowCount: Int32 { PQntuples(result) }

    func row(_ row: Int32) throws(DatabaseError) -> Row {
        var values: [SQLValue] = []
        values.reserveCapacity(types.count)
        for (position, type) in types.enumerated() { values.append(try value(row, Int32(position), type)) }
        return Row(columns: columns, values: values)
    }

    private func value(_ row: Int32, _ column: Int32, _ type: Oid) throws(DatabaseError) -> SQLValue {
        guard PQgetisnull(result, row, column) == 0, let address = PQgetvalue(result, row, column) else { return .null }
        let count = Int(PQgetlength(result, row, column))
        let bytes = UnsafeRawBufferPointer(start: address, count: count)
        let value = isBinary ? binary(bytes, type) : text(bytes, type)
        guard let value else { throw .internalError("PostgreSQL sent a value of type \(type) that can't be read") }
        return value
    }

    private func binary(_ bytes: UnsafeRawBufferPointer, _ type: Oid) -> SQLValue? {
        func number<T: FixedWidthInteger>(_: T.Type) -> T? {
            guard bytes.count == MemoryLayout<T>.size else { return nil }
            return T(bigEndian: bytes.loadUnaligned(as: T.self))
        }
        switch type {
        case PostgresType.int8: return number(Int64.self).map { .integer($0) }
        case PostgresType.int4: return number(Int32.self).map { .integer(Int64($0)) }
        case PostgresType.int2: return number(Int16.self).map { .integer(Int64($0)) }
        case PostgresType.oid: return number(UInt32.self).map { .integer(Int64($0)) }
        case PostgresType.bool: return number(UInt8.self).map { .integer($0 == 0 ? 0 : 1) }
        case PostgresType.float8: return number(UInt64.self).map { .real(Double(bitPattern: $0)) }
        case PostgresType.float4: return number(UInt32.self).map { .real(Double(Float(bitPattern: $0))) }
        case PostgresType.bytes: return .bytes([UInt8](bytes))
        default: return string(bytes).map { .text($0) }
        }
    }

    private func text(_ bytes: UnsafeRawBufferPointer, _ type: Oid) -> SQLValue? {
        if type == PostgresType.bytes { return hex(bytes).map { .bytes($0) } }
        guard let text = string(bytes) else { return nil }
        switch type {
        case PostgresType.int8, PostgresType.int4, PostgresType.int2, PostgresType.oid:
            return Int64(text).map { .integer($0) }
        case PostgresType.bool: return .integer(text == "t" ? 1 : 0)
        case PostgresType.float8, PostgresType.float4: return Double(text).map { .real($0) }
        case PostgresType.numeric:
            // What SQLite gives too: SUM over integers is an integer.
            return Int64(text).map { .integer($0) } ?? Double(text).map { .real($0) }
        default: return .text(text)
        }
    }

    private func string(_ bytes: UnsafeRawBufferPointer) -> String? { String(validating: bytes, as: UTF8.self) }

    /// `\x` and two digits for each byte.
    private func hex(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        guard text.count >= 2, text.count % 2 == 0, text[0] == UInt8(ascii: "\\"), text[1] == UInt8(ascii: "x") else {
            return nil
        }
        func digit(_ byte: UInt8) -> UInt8 {
            byte <= UInt8(ascii: "9") ? byte &- UInt8(ascii: "0") : (byte | 0x20) &- UInt8(ascii: "a") &+ 10
        }
        return [UInt8](unsafeUninitializedCapacity: text.count / 2 - 1) { output, count in
            count = text.count / 2 - 1
            for position in 0..<count {
                let high = digit(text[2 + 2 * position])
                output[position] = high << 4 | digit(text[3 + 2 * position]) & 0x0f
            }
        }
    }
}

extension PostgresResult {
    /// Rows inserted, updated or deleted.
    var changes: Int {
        let tag = String(cString: PQcmdStatus(result))
        guard ["INSERT", "UPDATE", "DELETE", "MERGE"].contains(where: { tag.hasPrefix($0) }) else { return 0 }
        return Int(String(cString: PQcmdTuples(result))) ?? 0
    }
}
