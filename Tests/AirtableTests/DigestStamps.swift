import Database
import Domain

@testable import Airtable

/// Makes every digest fit its row, as if this program had written them as they are.
func stampDigests(in transaction: any Transaction) throws {
    for table in [SchemaStore.bases, SchemaStore.tables, SchemaStore.fields, ChangeLogStore.rows] {
        let places = table.key.enumerated().map { "\($1) = $\($0 + 2)" }.joined(separator: " AND ")
        for row in try transaction.rows(table.query(where: "1 = 1", orderedBy: "1")) {
            try transaction.execute(
                "UPDATE \(table.name) SET digest = $1 WHERE \(places)",
                [table.digest(row.values.prefix(table.columns.count))] + table.key.map { row[$0] }
            )
        }
    }
    for row in try transaction.rows("SELECT position, id, created, cells, tenant FROM records") {
        let digest = RecordDigest(tenant: row[4]).of(
            position: try row.integer(0),
            id: row[1],
            created: try row.integer(2),
            cells: try row.text(3)
        )
        try transaction.execute("UPDATE records SET digest = $1 WHERE position = $2", [digest, row[0]])
    }
}
