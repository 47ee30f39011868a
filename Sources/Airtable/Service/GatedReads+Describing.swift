import Access
import Database
package import Domain
import Formula

/// What those need who describe a base to somebody.
extension GatedReads {
    /// How many records tables have, of those that are seen, in one snapshot. Tables whose records are only at the hosted
    /// service are left out: each would cost calls there.
    package func recordCounts(of tables: [TableID], context: RequestContext) async throws -> [TableID: Int] {
        try context.require(permission)
        // Who sees a schema sees its tables; records are counted for who sees those.
        let scope = try await service.access.visibleScope(for: context, doing: .recordsRead)
        return try await service.seeing(scope, context) { [store = service.store, ruled = service.ruledRecords] sight in
            var counts: [TableID: Int] = [:]
            for id in tables {
                guard let model = sight.schema.table(id), sight.schema.home(of: model.table.base) != .hosted else {
                    continue
                }
                guard sight.scope.allows(table: id, in: model.table.base) else {
                    counts[id] = 0
                    continue
                }
                counts[id] =
                    try ruled.records(of: id, sight)?.count
                    ?? store.count(of: model, tenant: context.tenant, in: sight.transaction)
            }
            return counts
        }
    }

    /// Who changed or wrote something: the tenant's users, also such as are no more.
    package func people(context: RequestContext) async throws -> [Collaborator] {
        try context.require(permission)
        return try await service.access.authors(tenant: context.tenant, deadline: context.deadline)
    }
}

/// Looks at a formula before it is sent anywhere.
package enum FormulaCheck {
    /// - Parameter table: as its reader sees it.
    /// - Throws: `.invalidFilter`, which says what is wrong, at which character, and what was probably meant.
    package static func check(_ formula: String, of table: Table) throws(AirtableError) {
        do throws(FormulaError) {
            _ = try Formula(formula, schema: FormulaFilters.schema(of: table))
        } catch {
            let place = "at character \(error.position + 1) of the formula"
            guard error.code == .unknownField else {
                throw AirtableError(
                    .invalidFilter,
                    "\(Misnamed.shown(error.message)) (\(place))",
                    hint: error.hint.map(Misnamed.shown)
                )
            }
            let name = spelt(in: formula, at: error.position) ?? error.unknownFields.first ?? ""
            let message = Misnamed.message(
                "field",
                name,
                in: Misnamed.place("table", table.name),
                among: table.fields.map(\.name)
            )
            throw AirtableError(.invalidFilter, "\(message) (\(place))", hint: bareCall(error))
        }
    }

    /// Whether the table has a field named nearly as the one that is unknown.
    package static func isNearly(_ formula: String, of table: Table) -> Bool {
        do throws(FormulaError) {
            _ = try Formula(formula, schema: FormulaFilters.schema(of: table))
            return false
        } catch {
            return error.code == .unknownField && error.hint?.hasPrefix("did you mean") == true
        }
    }

    /// The name of a field as the formula has it.
    private static func spelt(in formula: String, at position: Int) -> String? {
        let rest = formula.unicodeScalars.dropFirst(position)
        if rest.first == "{" { return rest.dropFirst().firstIndex(of: "}").map { String(rest.dropFirst()[..<$0]) } }
        let word = rest.prefix { $0.properties.isAlphabetic || $0 == "_" || $0.properties.numericType != nil }
        return word.isEmpty ? nil : String(word)
    }

    /// That a function lacks its parentheses, if that is what is wrong.
    private static func bareCall(_ error: FormulaError) -> String? {
        error.hint.flatMap { $0.hasPrefix("a function") ? $0 : nil }
    }
}
