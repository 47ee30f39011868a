import Access
import Domain
import Formula

/// A record rule, ready to be asked of records of its table.
///
/// It sees every field, also those hidden from its reader. A formula that does not compile, or fails for a record, counts
/// against the reader.
struct CompiledRule: Sendable {
    private let rule: RecordRule
    /// By their texts; one that does not compile is not among them.
    private let formulas: [String: RuleFormula]
    /// Reads only the cells that it looks at.
    let judged: TableModel
    let readsTimes: Bool
    /// Whether what it gives changes with time alone.
    let isVolatile: Bool

    init(_ rule: RecordRule, model: TableModel, home: BaseHome, now: Instant) {
        self.rule = rule
        var formulas: [String: RuleFormula] = [:]
        for text in rule.refusing + rule.allowances.flatMap(\.formulas) where formulas[text] == nil {
            // What does not compile counts as what fails.
            formulas[text] = try? RuleFormula(text, table: model.table, reader: rule.reader, home: home, now: now)
        }
        self.formulas = formulas
        judged = model.reading(formulas.values.reduce(into: []) { $0.formUnion($1.fields) })
        readsTimes = formulas.values.contains(where: \.readsTimes)
        isVolatile = formulas.values.contains(where: \.isVolatile)
    }

    /// - Parameters:
    ///   - record: with the cells of `judged`.
    ///   - links: the names of all records that these link to, seen or not.
    func allows(_ record: Record, links: LinkTexts) -> Bool {
        rule.passes(record.id) { formulas[$0]?.holds(for: record, links: links) }
    }

    /// Links, and lookups of links, that it reads by primary values.
    var recordFields: [Field] { judged.table.fields.filter { $0.shown.options.linkedTable != nil } }

    // MARK: In SQL

    /// Records by identifier that SQL is given; more are left to the evaluator.
    private static let recordsMax = 64

    /// What SQL can say of it: every record that it allows is among those.
    var pushdown: Pushdown {
        if rule.refusing.contains(where: { formulas[$0] == nil }) { return .always(false) }
        var parts = rule.allowances.map { pushdown(of: $0) }
        for text in rule.refusing { parts.append(formulas[text]?.pushdown?.negated) }
        if parts.isEmpty { parts = [.always(true)] }
        var whole = Pushdown.all(parts) ?? .always(true)
        if !rule.refused.isEmpty || parts.contains(where: { $0 == nil }) { whole.isExact = false }
        return whole
    }

    private func pushdown(of allowance: RecordRule.Allowance) -> Pushdown? {
        var parts: [Pushdown] = []
        for formula in allowance.formulas.compactMap({ formulas[$0] }) {
            guard let part = formula.pushdown else { return nil }
            parts.append(part)
        }
        if !allowance.records.isEmpty {
            let ids = allowance.records.sorted()
            let isShort = ids.count <= Self.recordsMax
            guard isShort || parts.isEmpty else { return nil }
            let condition = isShort ? CellCondition.anyOf(ids.map { .recordID(.equal, $0.description) }) : .always(true)
            parts.append(Pushdown(condition, lookup: .records(allowance.records)))
        }
        if parts.isEmpty { return .always(false) }
        // Each for itself: what one of them fails for, another may allow.
        let isExact = parts.allSatisfy(\.isExact)
        var any = Pushdown.any(parts)
        any.isExact = isExact
        any.isTotal = true
        return any
    }
}
