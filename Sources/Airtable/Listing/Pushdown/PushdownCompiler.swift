import Database
import Domain
import Formula

/// Finds out how much of a formula SQL can decide.
///
/// Nothing is guessed: what a comparison gives for an empty cell, for each choice of a select, for a ticked box and for
/// constants is asked of the evaluator itself, here, once; only comparisons of a cell that is there with a constant of
/// its own type are SQL's. Recursion is bounded: what lies deeper is left to the evaluator.
struct PushdownCompiler {
    private static let depthMax = 32
    /// Choices that a select may have for its formulas to be tabulated.
    private static let choicesMax = 256

    let formula: Formula
    let schema: FormulaSchema
    /// The fields by slot.
    let slots: [Field]
    let environment: FormulaEnvironment
    /// What each node looks at.
    private let scopes: [Scope]

    private enum Scope: Equatable {
        case nothing
        case field(Int)
        case record

        func and(_ other: Scope) -> Scope {
            self == .nothing ? other : other == .nothing || self == other ? self : .record
        }
    }

    init(_ formula: Formula, schema: FormulaSchema, slots: [Field], environment: FormulaEnvironment) {
        self.formula = formula
        self.schema = schema
        self.slots = slots
        self.environment = environment
        var scopes: [Scope] = []
        scopes.reserveCapacity(formula.syntax.nodes.count)
        for index in formula.syntax.nodes.indices {
            switch formula.syntax.nodes[index].kind {
            case .number, .text: scopes.append(.nothing)
            case .field(let slot): scopes.append(.field(slot))
            case .call("RECORD_ID", _), .call("CREATED_TIME", _), .call("LAST_MODIFIED_TIME", _): scopes.append(.record)
            default: scopes.append(formula.syntax.operands(of: index).reduce(.nothing) { $0.and(scopes[$1]) })
            }
        }
        self.scopes = scopes
    }

    /// What SQL can say of the whole; nil when that is nothing.
    func compile() -> Pushdown? {
        guard let root = formula.syntax.nodes.indices.last, var result = truth(root, depth: 0) else { return nil }
        if result.condition.size > Pushdown.sizeMax {
            result.condition = .always(true)
            result.isExact = false
        }
        if case .always(true) = result.condition, !result.isExact, result.lookup == nil { return nil }
        return result
    }

    // MARK: Truth

    /// Whether the value of a node is true, as AND reads it.
    private func truth(_ root: Int, depth: Int) -> Pushdown? {
        guard depth < Self.depthMax else { return nil }
        switch scopes[root] {
        case .nothing:
            guard let value = constant(root) else { return nil }
            // AND goes into arrays, IF does not.
            if case .array = value { return nil }
            return value.asBoolean.map { .always($0) } ?? .error
        case .field(let slot):
            if let result = tabulated(root, slot) { return result }
        case .record: break
        }
        let operands = formula.syntax.operands(of: root)
        switch formula.syntax.nodes[root].kind {
        case .field(let slot): return isTrue(slots[slot])
        case .compare(let comparison): return compare(operands[0], comparison, operands[1])
        case .call("AND", _): return .all(operands.map { truth($0, depth: depth + 1) })
        case .call("OR", _):
            var parts: [Pushdown] = []
            for operand in operands {
                guard let part = truth(operand, depth: depth + 1) else { return nil }
                parts.append(part)
            }
            return .any(parts)
        case .call("NOT", _): return truth(operands[0], depth: depth + 1)?.negated
        case .call("IF", _):
            guard let condition = truth(operands[0], depth: depth + 1), let then = truth(operands[1], depth: depth + 1),
                let otherwise = operands.count < 3 ? .always(false) : truth(operands[2], depth: depth + 1)
            else { return nil }
            return condition.choosing(then, otherwise)
        case .call("IS_BEFORE", 2): return order(operands, .less)
        case .call("IS_AFTER", 2): return order(operands, .greater)
        case .call("IS_SAME", 2): return order(operands, .equal)
        case .call("FIND", 2), .call("SEARCH", 2), .call("LEN", 1):
            return place(root).map { Pushdown($0.found) }
        case .call("RECORD_ID", _), .call("CREATED_TIME", _): return .always(true)
        default: return nil
        }
    }

    private func isTrue(_ field: Field) -> Pushdown? {
        guard let kind = StoredKind(field.type) else { return field.type == .createdTime ? .always(true) : nil }
        switch kind {
        case .text: return Pushdown(.compare(field.cell(.text), .notEqual, .text("")))
        case .number: return Pushdown(.compare(field.cell(.number), .notEqual, .real(0)))
        case .date: return Pushdown(.present(field.cell(.text)))
        case .dateTime:
            return field.type == .lastModifiedTime ? .always(true) : Pushdown(.present(field.cell(.moment)))
        case .computed:
            let cell = field.cell(.anything)
            let parts: [CellCondition] = [
                .compare(cell.read(as: .computedText), .notEqual, .text("")),
                .compare(cell.read(as: .computedNumber), .notEqual, .real(0)), .isComposite(cell),
            ]
            return Pushdown(.any(parts), isExact: false, isTotal: false)
        default: return nil
        }
    }

    // MARK: What needs no SQL

    /// The value of a node that looks at no record.
    func constant(_ root: Int) -> FormulaValue? {
        guard scopes[root] == .nothing else { return nil }
        return formula.part(root, schema: schema)?.value(OneCell(slot: -1, value: .blank), in: environment)
    }

    /// Of a node that looks at nothing but one select or one checkbox: its truth for each value there is.
    private func tabulated(_ root: Int, _ slot: Int) -> Pushdown? {
        let field = slots[slot]
        let values: [(stored: String, value: FormulaValue)]
        switch StoredKind(field.type) {
        case .checked: values = [("", .boolean(true))]
        case .choice:
            let choices = field.options.choices ?? []
            guard choices.count <= Self.choicesMax else { return nil }
            values = choices.map { ($0.id.description, .text($0.name)) }
        default: return nil
        }
        guard let part = formula.part(root, schema: schema) else { return nil }
        let results = ([.blank] + values.map(\.value)).map { value in
            part.value(OneCell(slot: slot, value: value), in: environment)
        }
        // AND counts an array's items; an operand of it that gives one is not for us.
        if results.contains(where: { if case .array = $0 { true } else { false } }) { return nil }
        let blank = results[0].asBoolean
        let truths = zip(values, results.dropFirst()).map { ($0.stored, $1.asBoolean) }
        let isTotal = blank != nil && truths.allSatisfy { $0.1 != nil }
        let holding = truths.filter { $0.1 == true }.map(\.0)
        if case .checked = StoredKind(field.type) {
            let present = CellCondition.present(field.cell(.anything))
            let condition: CellCondition =
                switch (blank == true, !holding.isEmpty) {
                case (true, true): .always(true)
                case (true, false): .not(present)
                case (false, true): present
                case (false, false): .always(false)
                }
            return Pushdown(condition, isTotal: isTotal)
        }
        let cell = field.cell(.text)
        guard blank == true else {
            let keys = Set(holding.map { CellKey(text: $0) })
            return Pushdown(
                holding.isEmpty ? .always(false) : .isOne(cell, holding),
                isTotal: isTotal,
                lookup: .keys(ordinal: field.ordinal, keys)
            )
        }
        let failing = truths.filter { $0.1 != true }.map(\.0)
        // A choice that is gone reads as an empty cell.
        return Pushdown(failing.isEmpty ? .always(true) : .not(.isOne(cell, failing)), isTotal: isTotal)
    }
}

extension Field {
    func cell(_ form: StoredCell.Form) -> StoredCell { StoredCell(ordinal: ordinal, form: form) }
}

/// A row with one cell.
private struct OneCell: FormulaRow {
    let slot: Int
    let value: FormulaValue

    var recordID: String? { nil }
    var createdTime: Instant? { nil }
    func lastModifiedTime(_ slots: [Int]?) -> Instant? { nil }
    func value(_ slot: Int) -> FormulaValue { slot == self.slot ? value : .blank }
}
