import Domain
import Testing

@testable import Database

@Suite("Rows")
struct RowTests {
    private let row = Row(
        columns: RowColumns(["id", "ratio", "name", "data", "gone", "flag"]),
        values: [7, 0.5, "seven", .bytes([1, 2]), nil, 1]
    )

    @Test("give typed values by position and by name")
    func typed() throws {
        #expect(try row.integer(0) == 7)
        #expect(try row.integer("id") == 7)
        #expect(try row.real("ratio") == 0.5)
        #expect(try row.real("id") == 7)
        #expect(try row.text("name") == "seven")
        #expect(try row.bytes("data") == [1, 2])
        #expect(try row.bool("flag"))
        #expect(try row.optionalText("gone") == nil)
        #expect(try row.optionalInteger(4) == nil)
        #expect(row[2] == "seven")
        #expect(row["ratio"] == 0.5)
        #expect(row["nowhere"] == .null)
        #expect(row.columnNames.count == row.count)
    }

    @Test("refuse another type, a null where a value must be, and a column that isn't there")
    func refusals() {
        let refused = DatabaseError(.unexpectedType, "")
        #expect(throws: refused) { try row.integer("name") }
        #expect(throws: refused) { try row.text("id") }
        #expect(throws: refused) { try row.bytes("name") }
        #expect(throws: refused) { try row.text("gone") }
        #expect(throws: refused) { try row.bool("id") }
        #expect(throws: refused) { try row.integer("nowhere") }
        #expect(throws: refused) { try row.integer(6) }
        #expect(throws: refused) { try row.integer(-1) }
    }

    @Test("say which column and which kinds, and never the value")
    func message() {
        let error = #expect(throws: DatabaseError.self) { try row.integer("name") }
        #expect(error?.message == "column \"name\": expected integer, received text")
    }
}
