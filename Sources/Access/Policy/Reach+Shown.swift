package import Domain

extension Reach {
    /// A reach in a fixed order, to be shown.
    package struct Shown: Sendable {
        package let bases: [BaseID]?
        package let parts: [(base: BaseID, tables: [TableID])]
        package let excludedBases: [BaseID]
        package let excludedTables: [TableID]
        package let excludedViews: [ViewID]
        package let excludedFields: [FieldID]
        package let rules: [(table: TableID, rule: RecordRule)]
    }

    package var shown: Shown {
        Shown(
            bases: bases?.subtracting(excludedBases).sorted(),
            parts: tables.sorted { $0.key < $1.key }.map { ($0.key, $0.value.subtracting(excludedTables).sorted()) },
            excludedBases: excludedBases.sorted(),
            excludedTables: excludedTables.sorted(),
            excludedViews: excludedViews.sorted(),
            excludedFields: excludedFields.values.flatMap(\.self).sorted(),
            rules: rules.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        )
    }
}

extension VisibleScope {
    package var sightShown: Reach.Shown { sight.shown }
    package var actionShown: Reach.Shown? { action?.shown }

    /// For the API document.
    package static var sample: VisibleScope {
        VisibleScope(
            tenant: .random(),
            bases: BaseID("appPeriodicTable1").map { [$0] },
            hidden: [:]
        )
    }
}

extension Explanation {
    package var verdict: String { decision.verdict.rawValue }
    package var decidingPermission: Permission { decision.permission }

    package var reason: String {
        switch decision.reason {
        case .role: "role"
        case .grant: "grant"
        case .part: "part"
        case .nothing: "nothing"
        case .keyScopes: "keyScopes"
        case .keyPlaces: "keyPlaces"
        case .keyGrants: "keyGrants"
        }
    }

    package var decidingRole: String? { if case .role(let role) = decision.reason { role.rawValue } else { nil } }

    package var decidingGrant: GrantID? {
        switch decision.reason {
        case .grant(let id), .part(let id): id
        case .role, .nothing, .keyScopes, .keyPlaces, .keyGrants: nil
        }
    }

    /// For the API document.
    package static var sample: Explanation {
        Explanation(
            decision: Decision(verdict: .allowed, reason: .role(.editor), permission: .recordsWrite),
            permission: .recordsWrite,
            resource: .tenant,
            role: .editor,
            steps: [Step(resource: .tenant, grants: [])],
            version: 12
        )
    }
}
