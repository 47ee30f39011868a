import Airtable
import Domain

/// A record as the API shows it: cells by field name, in Airtable's shapes, empty ones left out.
struct RecordWire: DocumentedWireType, Hashable {
    let id: RecordID
    let createdTime: String
    let fields: JSONValue

    init(_ record: Record, table: Table, address: AttachmentAddress? = nil) {
        self.init(
            id: record.id,
            createdTime: record.createdTime.iso8601,
            fields: .object(CellCodec.fields(of: record, table: table, address: address))
        )
    }

    private init(id: RecordID, createdTime: String, fields: JSONValue) {
        self.id = id
        self.createdTime = createdTime
        self.fields = fields
    }

    static let schemaName = "Record"
    static let schema = JSONSchema.object(
        properties: [
            "id": PathParameter.recordId.schema,
            "createdTime": .string(format: "date-time"),
            "fields": .dictionary(of: .any, description: "Cells by field name. Empty cells are left out."),
            "commentCount": .integer(description: "In lists that ask for it.", minimum: 0),
        ],
        required: ["id", "createdTime", "fields"],
        description: "A row of a table."
    )

    static let sample = RecordWire(
        id: Sample.record,
        createdTime: Sample.time.iso8601,
        fields: ["Name": "Helium", "State": "Gas", "Isotopes": [.string(Sample.isotope.description)]]
    )
}

struct RecordListWire: DocumentedWireType, Hashable {
    let records: [RecordWire]
    /// Where the next page begins; absent on the last.
    let offset: String?

    static let schemaName = "RecordList"
    static let schema = JSONSchema.object(
        properties: [
            "records": .array(of: RecordWire.schema, maxItems: Limits.pageRecords),
            "offset": .string(description: "Give it back for the next page. Absent on the last one."),
        ],
        required: ["records"],
        description: "A page of a table's records."
    )
    static let sample = RecordListWire(records: [.sample], offset: "itrk")
}

/// One record, with names for the records it links to.
struct RecordDetailWire: DocumentedWireType, Hashable {
    struct Linked: Codable, Sendable, Hashable {
        let id: RecordID
        let tableId: TableID
        /// The linked record's primary value; absent when it is empty or hidden.
        let name: String?
    }

    let id: RecordID
    let createdTime: String
    let fields: JSONValue
    let linked: [Linked]

    init(_ record: RecordWire, linked: [Linked]) {
        id = record.id
        createdTime = record.createdTime
        fields = record.fields
        self.linked = linked
    }

    static let schemaName = "RecordDetail"
    static let schema = JSONSchema.object(
        properties: [
            "id": PathParameter.recordId.schema,
            "createdTime": .string(format: "date-time"),
            "fields": .dictionary(of: .any, description: "Cells by field name. Empty cells are left out."),
            "linked": .array(
                of: .object(
                    properties: [
                        "id": PathParameter.recordId.schema, "tableId": PathParameter.tableId.schema,
                        "name": .string(),
                    ],
                    required: ["id", "tableId"]
                ),
                description: "The records it links to, at most \(Limits.linkedNames) of each field."
            ),
        ],
        required: ["id", "createdTime", "fields", "linked"],
        description: "A row of a table, with names for what it links to."
    )
    static let sample = RecordDetailWire(
        .sample,
        linked: [Linked(id: Sample.isotope, tableId: Sample.otherTable, name: "Helium-3")]
    )
}
