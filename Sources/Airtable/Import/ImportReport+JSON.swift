public import Domain

extension ImportReport {
    /// As the command line and the API say it.
    public var json: JSONValue {
        [
            "outcome": .string(outcome.rawValue), "base": .string(baseName),
            "baseId": base.map { .string($0.description) } ?? .null,
            "tables": .array(
                tables.map { table in
                    [
                        "table": .string(table.name), "tableId": table.id.map { .string($0.description) } ?? .null,
                        "records": .number(JSONNumber(table.rowCount)),
                        "skipped": .number(JSONNumber(table.skippedCount)),
                        "fields": .array(
                            table.columns.map { column in
                                [
                                    "name": .string(column.name), "type": .string(column.type.rawValue),
                                    "linkedTable": column.linkedTable.map { .string($0) } ?? .null,
                                    "primary": .bool(column.isPrimary),
                                ]
                            }
                        ),
                    ]
                }
            ),
            "skipped": .array(skipped.map { .string($0.message) }),
            "skippedLinks": .number(JSONNumber(skippedLinkCount)),
            "transaction": transaction.map { .number(JSONNumber($0)) } ?? .null,
        ]
    }
}
