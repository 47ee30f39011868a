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
            parts: tables.filter { contains(base: $0.key) }.sorted { $0.key < $1.key }
                .map { ($0.key, $0.value.subtracting(excludedTables).sorted()) },
            excludedBases: excludedBases.sorted(),
            excludedTables: excludedTables.sorted(),
            excludedViews: excludedViews.sorted(),
            excludedFields: excludedFields.values.flatMap(\.self).sorted(),
            rules: rules.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        )
    }

    /// The same for somebody who sees no more than `sight`: what is not there for them is not named, and of rules no more
    /// than that there is one.
    func shown(within sight: Reach) -> Shown {
        var told = self
        told.excludedBases.subtract(sight.excludedBases)
        told.excludedTables.subtract(sight.excludedTables)
        told.excludedViews.subtract(sight.excludedViews)
        told.excludedFields = excludedFields.filter { !sight.excludedTables.contains($0.key) }
            .mapValues { $0.subtracting(sight.excludedFields.values.joined()) }
        told.rules = rules.filter { !sight.excludedTables.contains($0.key) }.mapValues { RecordRule(reader: $0.reader) }
        told.bases = bases?.filter { sight.contains(base: $0) }
        told.tables = tables.filter { sight.contains(base: $0.key) }
            .mapValues { $0.subtracting(sight.excludedTables) }
        return told.shown
    }
}

extension VisibleScope {
    /// - Parameter naming: whether what does not exist for the reader is named all the same.
    package func sightShown(naming all: Bool) -> Reach.Shown { all ? sight.shown : sight.shown(within: sight) }

    package func actionShown(naming all: Bool) -> Reach.Shown? {
        all ? action?.shown : action?.shown(within: sight)
    }

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
