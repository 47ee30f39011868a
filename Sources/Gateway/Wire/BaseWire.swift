import Domain

/// A base as the API shows it.
struct BaseWire: DocumentedWireType, Hashable {
    let id: BaseID
    let name: String
    let workspaceId: WorkspaceID
    let createdTime: String

    init(_ base: Base) {
        id = base.id
        name = base.name
        workspaceId = base.workspace
        createdTime = base.createdTime.iso8601
    }

    static let schemaName = "Base"
    static let schema = JSONSchema.object(
        properties: [
            "id": PathParameter.baseId.schema,
            "name": .string(),
            "workspaceId": .string(),
            "createdTime": .string(format: "date-time"),
        ],
        required: ["id", "name", "workspaceId", "createdTime"],
        description: "A named set of tables."
    )

    static let sample = BaseWire(
        Base(id: Sample.base, workspace: Sample.workspace, name: "Periodic table", createdTime: Sample.time)
    )
}

struct BaseListWire: DocumentedWireType, Hashable {
    let bases: [BaseWire]

    static let schemaName = "BaseList"
    static let schema = JSONSchema.object(
        properties: ["bases": .array(of: BaseWire.schema)],
        required: ["bases"],
        description: "Every base the caller may see, in the order they were made."
    )
    static let sample = BaseListWire(bases: [.sample])
}

/// What examples in the API document are about.
enum Sample {
    static let base = BaseID("appPeriodicTable1")!
    static let workspace = WorkspaceID("wspChemistry00001")!
    static let table = TableID("tblElements000001")!
    static let otherTable = TableID("tblIsotopes000001")!
    static let name = FieldID("fldName0000000001")!
    static let state = FieldID("fldState000000001")!
    static let isotopes = FieldID("fldIsotopes000001")!
    static let record = RecordID("recHelium00000001")!
    static let isotope = RecordID("recHelium30000001")!
    static let choice = ChoiceID("selGas00000000001")!
    static let time = Instant(milliseconds: 1_767_225_600_000)
}
