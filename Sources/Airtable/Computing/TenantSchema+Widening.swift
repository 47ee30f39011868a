package import Access
import Domain

extension TenantSchema {
    /// `scope` without the fields that tell of what it hides, however far away: else a formula would show what its reader may not
    /// see.
    ///
    /// These are links to tables that do not exist for the reader, and whatever is computed from a hidden field, through such a
    /// link, or through a link to a table of which the reader sees only some records: a sum over records of which some are hidden
    /// would tell of those.
    package func widening(_ scope: VisibleScope) -> VisibleScope {
        if scope.isWholeInBases { return scope }
        var more: [TableID: Set<FieldID>] = [:]
        for base in bases where scope.allows(base: base.id) {
            let models = tables(in: base.id).filter { scope.allows(table: $0.table.id, in: base.id) }
            var spread = Spread(base: base.id, schema: self, scope: scope, models: models)
            spread.run()
            more.merge(spread.found) { $0.union($1) }
        }
        return scope.hiding(more)
    }
}

/// Finds what follows from hidden fields in one base.
private struct Spread {
    let home: BaseHome
    let graph: DependencyGraph?
    let models: [TableModel]
    /// Whether anything of the base is hidden.
    let isNarrow: Bool
    private(set) var found: [TableID: Set<FieldID>] = [:]
    private var hidden: Set<FieldID> = []
    /// Links that lead to tables of which only some records are seen.
    private var partLinks: Set<FieldID> = []
    /// Tables whose records must not be named: they are hidden, in part at least.
    private var partTables: Set<TableID> = []
    private var primaries: [TableID: FieldID] = [:]
    private var links: [FieldID: TableID] = [:]

    init(base: BaseID, schema: TenantSchema, scope: VisibleScope, models: [TableModel]) {
        self.models = models
        home = schema.home(of: base)
        graph = schema.graph(of: base)
        let all = schema.tables(in: base)
        for model in all {
            let table = model.table.id
            primaries[table] = model.table.primaryField
            hidden.formUnion(scope.hiddenFields(table: table))
            guard scope.allows(table: table, in: base), scope.rule(table: table) == nil else {
                partTables.insert(table)
                continue
            }
        }
        isNarrow = !hidden.isEmpty || !partTables.isEmpty
        for model in models {
            for field in model.linkFields {
                guard let linked = field.options.linkedTable else { continue }
                links[field.id] = linked
                guard partTables.contains(linked) else { continue }
                if scope.allows(table: linked, in: base), home != .hosted {
                    partLinks.insert(field.id)
                } else {
                    // Of what the hosted service answers nobody here knows which records it names.
                    hide(field.id, model.table.id)
                }
            }
        }
    }

    mutating func run() {
        guard isNarrow else { return }
        var count = -1
        // Each round finds what reads the finds of the round before.
        while count != hidden.count {
            count = hidden.count
            for model in models {
                for field in model.table.fields where !hidden.contains(field.id) && readsByOptions(field) {
                    hide(field.id, model.table.id)
                }
            }
            for field in graph?.fields ?? [] where !hidden.contains(field.id) && reads(field) {
                hide(field.id, field.table)
            }
        }
    }

    private mutating func hide(_ field: FieldID, _ table: TableID) {
        hidden.insert(field)
        found[table, default: []].insert(field)
    }

    /// Whether a computed field of an embedded base reads what is hidden.
    private func reads(_ field: ComputedField) -> Bool {
        // What it was made from is not known, and its text may name what is hidden.
        if case .invalid = field.rule { return true }
        return field.sources.contains { source in
            isClosed(source.field) || source.path.contains { isClosed($0) }
        } || field.texts.contains { $0.path.contains { isClosed($0) } || isUnnamed($0.table) }
    }

    /// Whether a field reads what is hidden as far as its options tell: those of a hosted base, what a field watches, and what the
    /// texts of models are made from.
    private func readsByOptions(_ field: Field) -> Bool {
        let options = field.options
        var sources = options.referencedFields ?? []
        sources += [options.recordLinkField, options.fieldInLinkedTable].compactMap(\.self)
        for case .field(let source) in options.prompt ?? [] { sources.append(source) }
        if sources.contains(where: { isClosed($0) }) { return true }
        guard field.type.isRuled || field.type == .aiText else { return false }
        // A link is read by the names of its records.
        if sources.contains(where: { source in links[source].map { isUnnamed($0) } ?? false }), field.type != .count {
            return true
        }
        return home != .embedded && sources.isEmpty
    }

    private func isClosed(_ field: FieldID) -> Bool { hidden.contains(field) || partLinks.contains(field) }

    private func isUnnamed(_ table: TableID) -> Bool {
        partTables.contains(table) || (primaries[table].map { hidden.contains($0) } ?? false)
    }
}
