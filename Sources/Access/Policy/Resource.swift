public import Domain

/// A place that rights are given for: the whole tenant, or something in it, with all that stands above it but the
/// workspace, which the tenant knows.
public enum Resource: Sendable, Hashable {
    case tenant
    case workspace(WorkspaceID)
    case base(BaseID)
    case table(TableID, BaseID)
    case view(ViewID, TableID, BaseID)
    case record(RecordID, TableID, BaseID)
    case field(FieldID, TableID, BaseID)

    public enum Level: String, Sendable, Hashable, CaseIterable, Codable {
        case tenant, workspace, base, table, view, record, field
    }

    public var level: Level {
        switch self {
        case .tenant: .tenant
        case .workspace: .workspace
        case .base: .base
        case .table: .table
        case .view: .view
        case .record: .record
        case .field: .field
        }
    }

    public var base: BaseID? {
        switch self {
        case .tenant, .workspace: nil
        case .base(let base), .table(_, let base), .view(_, _, let base), .record(_, _, let base),
            .field(_, _, let base):
            base
        }
    }

    public var table: TableID? {
        switch self {
        case .tenant, .workspace, .base: nil
        case .table(let table, _), .view(_, let table, _), .record(_, let table, _), .field(_, let table, _): table
        }
    }

    /// Its own identifier; nil for the tenant.
    public var identifier: String? {
        switch self {
        case .tenant: nil
        case .workspace(let id): id.description
        case .base(let id): id.description
        case .table(let id, _): id.description
        case .view(let id, _, _): id.description
        case .record(let id, _, _): id.description
        case .field(let id, _, _): id.description
        }
    }
}
