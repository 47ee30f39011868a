import Access
import Domain

/// A part of a tenant's data.
struct ReachWire: WireType, Hashable {
    struct Rule: WireType, Hashable {
        struct Allowance: WireType, Hashable {
            let records: [RecordID]
            let formulas: [String]

            static let schema = JSONSchema.object(
                properties: [
                    "records": .array(of: PathParameter.recordId.schema), "formulas": .array(of: .string()),
                ],
                required: ["records", "formulas"]
            )
        }

        let table: TableID
        let allowances: [Allowance]
        let refusedRecords: [RecordID]
        let refusingFormulas: [String]

        static let schema = JSONSchema.object(
            properties: [
                "table": PathParameter.tableId.schema,
                "allowances": .array(
                    of: Allowance.schema,
                    description: "Each must name the record or have a formula that holds for it; none for all records."
                ),
                "refusedRecords": .array(of: PathParameter.recordId.schema),
                "refusingFormulas": .array(of: .string()),
            ],
            required: ["table", "allowances", "refusedRecords", "refusingFormulas"]
        )
    }

    struct Part: WireType, Hashable {
        let base: BaseID
        let tables: [TableID]

        static let schema = JSONSchema.object(
            properties: ["base": PathParameter.baseId.schema, "tables": .array(of: PathParameter.tableId.schema)],
            required: ["base", "tables"]
        )
    }

    let bases: [BaseID]?
    let parts: [Part]
    let excludedBases: [BaseID]
    let excludedTables: [TableID]
    let excludedViews: [ViewID]
    let excludedFields: [FieldID]
    let rules: [Rule]

    init(_ shown: Reach.Shown) {
        bases = shown.bases
        parts = shown.parts.map { Part(base: $0.base, tables: $0.tables) }
        excludedBases = shown.excludedBases
        excludedTables = shown.excludedTables
        excludedViews = shown.excludedViews
        excludedFields = shown.excludedFields
        rules = shown.rules.map { table, rule in
            Rule(
                table: table,
                allowances: rule.allowances.map {
                    Rule.Allowance(records: $0.records.sorted(), formulas: $0.formulas)
                },
                refusedRecords: rule.refused.sorted(),
                refusingFormulas: rule.refusing
            )
        }
    }

    static let schema = JSONSchema.object(
        properties: [
            "bases": .array(of: PathParameter.baseId.schema, description: "The only bases; all when absent."),
            "parts": .array(of: Part.schema, description: "Bases of which there are only some tables."),
            "excludedBases": .array(of: PathParameter.baseId.schema),
            "excludedTables": .array(of: PathParameter.tableId.schema),
            "excludedViews": .array(of: PathParameter.viewId.schema),
            "excludedFields": .array(of: JSONSchema(json: ["type": "string", "pattern": "^fld[A-Za-z0-9]{14}$"])),
            "rules": .array(of: Rule.schema, description: "Tables of which there are only some records."),
        ],
        required: ["parts", "excludedBases", "excludedTables", "excludedViews", "excludedFields", "rules"]
    )
}
