package import Domain

/// A set of permissions as bits, so that a decision is a test of a word.
package struct Rights: OptionSet, Sendable, Hashable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package init(_ permission: Permission) { rawValue = permission.bit }

    package init(_ permissions: some Sequence<Permission>) {
        rawValue = permissions.reduce(0) { $0 | $1.bit }
    }

    package var permissions: Set<Permission> {
        Set(Permission.allCases.filter { rawValue & $0.bit != 0 })
    }

    package static let all = Rights(Permission.allCases)
    /// What is done to a tenant itself. No owner is ever denied it, so that somebody can always mend the grants.
    package static let administrative = Rights([.keysManage, .membersManage, .auditRead, .admin])
    /// Given in a whole tenant or not at all.
    package static let ofTenants = Rights([.keysManage, .auditRead, .admin])
    /// About single records: a grant with a condition, or on one record, gives these for the records it fits.
    package static let ofRecords = Rights([
        .recordsRead, .recordsWrite, .recordsDelete, .commentsRead, .commentsWrite, .search, .chat,
    ])
    /// What such a grant gives beside them, for its table: without, nobody finds the records.
    package static let ofTheirTable = Rights([.basesRead, .schemaRead])
    /// What decides what exists.
    package static let sight = Rights([.basesRead, .schemaRead, .recordsRead])
    /// Denied on a field or view, these hide it from everything.
    package static let hiding = Rights([.schemaRead, .recordsRead])
    /// Whoever has them for a part of a base has them for the base as a place, with that part in it.
    package static let byPart = Rights.all.subtracting(Rights.administrative).subtracting(Rights(.schemaWrite))
}

extension Permission {
    /// Exhaustive, so that a new permission is thought about here.
    fileprivate var bit: UInt32 {
        switch self {
        case .basesRead: 1 << 0
        case .schemaRead: 1 << 1
        case .schemaWrite: 1 << 2
        case .recordsRead: 1 << 3
        case .recordsWrite: 1 << 4
        case .recordsDelete: 1 << 5
        case .commentsRead: 1 << 6
        case .commentsWrite: 1 << 7
        case .webhooksManage: 1 << 8
        case .search: 1 << 9
        case .embed: 1 << 10
        case .chat: 1 << 11
        case .keysManage: 1 << 12
        case .membersManage: 1 << 13
        case .auditRead: 1 << 14
        case .admin: 1 << 15
        }
    }

    /// Reading narrows what exists (404); the others only what may be done with it (403).
    package var isReading: Bool {
        switch self {
        case .basesRead, .schemaRead, .recordsRead, .commentsRead, .search, .chat, .embed, .webhooksManage: true
        case .schemaWrite, .recordsWrite, .recordsDelete, .commentsWrite, .keysManage, .membersManage, .auditRead,
            .admin:
            false
        }
    }

    /// The permission that decides what exists for who does this one; what is done to the tenant itself has no other.
    package var sight: Permission {
        switch self {
        case .schemaRead, .schemaWrite: .schemaRead
        case .basesRead, .keysManage, .membersManage, .auditRead, .admin: self
        case .recordsRead, .recordsWrite, .recordsDelete, .commentsRead, .commentsWrite, .webhooksManage, .search,
            .embed, .chat:
            .recordsRead
        }
    }
}
