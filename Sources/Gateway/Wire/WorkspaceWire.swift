import Access
import Domain

struct WorkspaceWire: DocumentedWireType, Hashable {
    let id: WorkspaceID
    let name: String
    let createdTime: String

    init(_ workspace: Workspace) {
        id = workspace.id
        name = workspace.name
        createdTime = workspace.createdTime.iso8601
    }

    static let schemaName = "Workspace"
    static let schema = JSONSchema.object(
        properties: [
            "id": PathParameter.workspaceId.schema,
            "name": .string(),
            "createdTime": .string(format: "date-time"),
        ],
        required: ["id", "name", "createdTime"],
        description: "A named set of bases."
    )
    static let sample = WorkspaceWire(
        Workspace(id: Sample.workspace, name: "Chemistry", createdTime: Sample.time)
    )
}

struct WorkspaceListWire: DocumentedWireType, Hashable {
    let workspaces: [WorkspaceWire]

    static let schemaName = "WorkspaceList"
    static let schema = JSONSchema.object(
        properties: ["workspaces": .array(of: WorkspaceWire.schema)],
        required: ["workspaces"]
    )
    static let sample = WorkspaceListWire(workspaces: [.sample])
}

/// The name of a new workspace, or another one of an old.
struct WorkspaceDraftWire: DocumentedWireType, Hashable {
    let name: String

    static let schemaName = "WorkspaceDraft"
    static let schema = JSONSchema.object(
        properties: ["name": .string(minLength: 1, maxLength: 100)],
        required: ["name"]
    )
    static let sample = WorkspaceDraftWire(name: "Chemistry")
}
