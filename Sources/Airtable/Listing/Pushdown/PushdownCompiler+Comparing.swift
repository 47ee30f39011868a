import Database
import Domain
import Formula

/// Comparisons: of a cell with a constant, of two cells, and of what FIND gives with a constant.
extension PushdownCompiler {
    func compare(_ left: Int, _ comparison: FormulaComparison, _ right: Int) -> Pushdown? {
        if let value = constant(right) { return compare(left, comparison, value) }
        if let value = constant(left) { return compare(right, comparison.mirrored, value) }
        guard let left = field(left), let right = field(right) else { return nil }
        switch (StoredKind(left.type), StoredKind(right.type)) {
        case (.text, .text): return Pushdown(.compareCells(left.cell(.text), comparison, right.cell(.text)))
        case (.number, .number): return Pushdown(.compareCells(left.cell(.number), comparison, right.cell(.number)))
        default: return nil
        }
    }

    private func compare(_ node: Int, _ comparison: FormulaComparison, _ constant: FormulaValue) -> Pushdown? {
        let value = constant.scalar
        switch value {
        case .error: return .error
        case .array: return nil
        default: break
        }
        switch formula.syntax.nodes[node].kind {
        case .field(let slot): return compare(slots[slot], comparison, value)
        case .call("RECORD_ID", _):
            guard case .text(let id) = value else { return nil }
            let lookup = comparison == .equal ? Pushdown.Lookup.records(Set([RecordID(id)].compactMap(\.self))) : nil
            return Pushdown(.recordID(comparison, id), lookup: lookup)
        case .call("CREATED_TIME", _): return created(comparison, value)
        default: return place(node).flatMap { compare($0, comparison, value) }
        }
    }

    private func field(_ node: Int) -> Field? {
        if case .field(let slot) = formula.syntax.nodes[node].kind { slots[slot] } else { nil }
    }

    // MARK: Cells

    /// What a comparison gives for cells that are there.
    private enum Filled {
        case constant(Bool)
        case condition(CellCondition, CellKey? = nil)
    }

    private func compare(_ field: Field, _ comparison: FormulaComparison, _ value: FormulaValue) -> Pushdown? {
        if field.type == .createdTime { return created(comparison, value) }
        guard let kind = StoredKind(field.type), field.type != .lastModifiedTime else { return nil }
        if case .computed = kind { return computed(field, comparison, value) }
        let filled: Filled?
        switch kind {
        case .text: filled = texts(field.cell(.text), comparison, value)
        case .number: filled = numbers(field.cell(.number), comparison, value)
        case .date: filled = days(field.cell(.text), comparison, value)
        case .dateTime: filled = moments(field.cell(.moment), comparison, value)
        default: filled = nil
        }
        guard let filled, case .boolean(let blank) = FormulaValue.compare(.blank, comparison, value) else { return nil }
        let present = CellCondition.present(field.cell(.anything))
        switch filled {
        case .constant(true): return Pushdown(blank ? .always(true) : present)
        case .constant(false): return Pushdown(blank ? .not(present) : .always(false))
        case .condition(let condition, let key):
            if blank { return Pushdown(.any([.not(present), condition])) }
            return Pushdown(condition, lookup: key.map { .keys(ordinal: field.ordinal, [$0]) })
        }
    }

    private func texts(_ cell: StoredCell, _ comparison: FormulaComparison, _ value: FormulaValue) -> Filled? {
        switch value {
        case .text(let text):
            guard !text.hasNUL else { return nil }
            return .condition(
                .compare(cell, comparison, .text(text)),
                comparison == .equal ? CellKey(text: text) : nil
            )
        case .blank: return .condition(.compare(cell, comparison, .text("")))
        // Read as numbers or dates, which SQL does in its own ways.
        default: return nil
        }
    }

    private func numbers(_ cell: StoredCell, _ comparison: FormulaComparison, _ value: FormulaValue) -> Filled? {
        let number: Double?
        if case .text(let text) = value { number = FormulaValue.number(in: text) } else { number = value.asNumber }
        guard let number, number.isFinite else { return asked(.number(0), comparison, value) }
        return .condition(
            .compare(cell, comparison, .real(number + 0)),
            comparison == .equal ? CellKey(number: number) : nil
        )
    }

    private func days(_ cell: StoredCell, _ comparison: FormulaComparison, _ value: FormulaValue) -> Filled? {
        let moment: Instant
        switch value {
        case .date(let date): moment = date.instant
        case .text(let text):
            guard let date = FormulaDate(reading: text) else { return asked(.date(Self.someDay), comparison, value) }
            moment = date.instant
        case .blank: return asked(.date(Self.someDay), comparison, value)
        default: return nil
        }
        return days(cell, comparison, moment)
    }

    private func days(_ cell: StoredCell, _ comparison: FormulaComparison, _ moment: Instant) -> Filled? {
        let (day, isWhole) = Self.floored(moment.microseconds, by: 86_400_000_000)
        guard let number = Int32(exactly: day) else { return nil }
        let text = CalendarDate(daysSinceEpoch: number).iso8601
        // Years of four digits are in order as texts.
        guard text.utf8.count == 10 else { return nil }
        return Self.steps(comparison, isWhole) {
            .compare(cell, $0, .text(text))
        } key: {
            CellKey(text: text)
        }
    }

    private func moments(_ cell: StoredCell, _ comparison: FormulaComparison, _ value: FormulaValue) -> Filled? {
        switch value {
        case .date(let date): return moments(cell, comparison, date.instant)
        case .text(let text):
            guard let date = FormulaDate(reading: text) else { return asked(.date(Self.someDay), comparison, value) }
            return moments(cell, comparison, date.instant)
        case .blank: return asked(.date(Self.someDay), comparison, value)
        default: return nil
        }
    }

    private func moments(_ cell: StoredCell, _ comparison: FormulaComparison, _ moment: Instant) -> Filled {
        let (milliseconds, isWhole) = Self.floored(moment.microseconds, by: 1_000)
        return Self.steps(comparison, isWhole) {
            .compare(cell, $0, .integer(milliseconds))
        } key: {
            CellKey(number: Double(milliseconds))
        }
    }

    /// A comparison with a moment as one with the last step of the cell's grid at or before it.
    private static func steps(
        _ comparison: FormulaComparison,
        _ isWhole: Bool,
        _ compare: (FormulaComparison) -> CellCondition,
        key: () -> CellKey
    ) -> Filled {
        if isWhole { return .condition(compare(comparison), comparison == .equal ? key() : nil) }
        return switch comparison {
        case .equal: .constant(false)
        case .notEqual: .constant(true)
        case .less, .lessOrEqual: .condition(compare(.lessOrEqual))
        case .greater, .greaterOrEqual: .condition(compare(.greater))
        }
    }

    private static func floored(_ number: Int64, by step: Int64) -> (quotient: Int64, isWhole: Bool) {
        let (quotient, remainder) = number.quotientAndRemainder(dividingBy: step)
        return (remainder < 0 ? quotient - 1 : quotient, remainder == 0)
    }

    private static let someDay = FormulaDate(Instant(microseconds: 0), isDay: true)

    /// For values that stand to every cell of the field as they stand to `example`.
    private func asked(_ example: FormulaValue, _ comparison: FormulaComparison, _ value: FormulaValue) -> Filled? {
        if case .boolean(let holds) = FormulaValue.compare(example, comparison, value) { .constant(holds) } else { nil }
    }

    /// The row's own time, which is always there.
    private func created(_ comparison: FormulaComparison, _ value: FormulaValue) -> Pushdown? {
        switch value {
        case .date(let date): return Pushdown(.created(comparison, date.instant.microseconds))
        case .text(let text):
            if let date = FormulaDate(reading: text) {
                return Pushdown(.created(comparison, date.instant.microseconds))
            }
            if case .boolean(let holds) = FormulaValue.compare(.date(Self.someDay), comparison, value) {
                return .always(holds)
            }
            return nil
        default: return nil
        }
    }

    /// Of computed cells texts and numbers are looked at; whatever else one is, the evaluator decides.
    private func computed(_ field: Field, _ comparison: FormulaComparison, _ value: FormulaValue) -> Pushdown? {
        guard case .boolean(let blank) = FormulaValue.compare(.blank, comparison, value) else { return nil }
        let cell = field.cell(.anything)
        var parts: [CellCondition] = [.isComposite(cell)]
        var keys: Set<CellKey>? = [.composite]
        func add(_ filled: Filled?, otherwise condition: CellCondition) {
            switch filled {
            case .condition(let condition, let key):
                parts.append(condition)
                if let key { keys?.insert(key) } else { keys = nil }
            case .constant(false): break
            case .constant(true), nil:
                parts.append(condition)
                keys = nil
            }
        }
        add(texts(cell.read(as: .computedText), comparison, value), otherwise: .isText(cell))
        let numbers = numbers(cell.read(as: .computedNumber), comparison, value)
        add(numbers, otherwise: .all([.present(cell), .not(.isText(cell))]))
        if blank {
            parts.append(.not(.present(cell)))
            keys = nil
        }
        let lookup = keys.map { Pushdown.Lookup.keys(ordinal: field.ordinal, $0) }
        return Pushdown(.any(parts), isExact: false, isTotal: false, lookup: lookup)
    }

    // MARK: Dates

    /// IS_BEFORE, IS_AFTER and IS_SAME of a date and a constant: an error where there is no date.
    func order(_ operands: [Int], _ comparison: FormulaComparison) -> Pushdown? {
        let (node, value, comparison) =
            constant(operands[1]).map { (operands[0], $0, comparison) }
            ?? constant(operands[0]).map { (operands[1], $0, comparison.mirrored) } ?? (0, .error, comparison)
        if case .error = value { return nil }
        guard let date = value.date else { return .error }
        switch formula.syntax.nodes[node].kind {
        case .call("CREATED_TIME", _): return Pushdown(.created(comparison, date.instant.microseconds))
        case .field(let slot):
            let field = slots[slot]
            let filled: Filled?
            switch StoredKind(field.type) {
            case .date: filled = days(field.cell(.text), comparison, date.instant)
            case .dateTime where field.type != .lastModifiedTime:
                filled = moments(field.cell(.moment), comparison, date.instant)
            case nil where field.type == .createdTime:
                return Pushdown(.created(comparison, date.instant.microseconds))
            default: filled = nil
            }
            switch filled {
            case .constant(let holds):
                return Pushdown(holds ? .present(field.cell(.anything)) : .always(false), isTotal: false)
            case .condition(let condition, let key):
                let lookup = key.map { Pushdown.Lookup.keys(ordinal: field.ordinal, [$0]) }
                return Pushdown(condition, isTotal: false, lookup: lookup)
            case nil: return nil
            }
        default: return nil
        }
    }

    // MARK: Places in texts

    /// A number from 1 where `found` holds, and `missing` everywhere else.
    struct Place {
        let found: CellCondition
        let missing: FormulaValue
    }

    /// FIND and SEARCH of a constant in a cell, and LEN of one.
    func place(_ node: Int) -> Place? {
        guard case .call(let name, let count) = formula.syntax.nodes[node].kind else { return nil }
        let operands = formula.syntax.operands(of: node)
        if name == "LEN", count == 1, let field = field(operands[0]), case .text = StoredKind(field.type) {
            return Place(found: .compare(field.cell(.text), .notEqual, .text("")), missing: .number(0))
        }
        guard name == "FIND" || name == "SEARCH", count == 2, let field = field(operands[1]),
            let needle = constant(operands[0])?.asText, !needle.hasNUL
        else { return nil }
        // Where nothing has two cases, to ignore case is to do nothing.
        let hasOneCase = needle.utf8.allSatisfy { $0 < 0x80 && !(0x41...0x5A).contains($0 & 0xDF) }
        guard name == "FIND" || hasOneCase else { return nil }
        let missing: FormulaValue = name == "FIND" ? .number(0) : .blank
        switch StoredKind(field.type) {
        case _ where needle.isEmpty: return nil
        case .text: return Place(found: .contains(field.cell(.text), needle), missing: missing)
        case .choices:
            // A comma or a space may also be found between two choices.
            guard name == "FIND", !needle.utf8.contains(where: { $0 == 0x2C || $0 == 0x20 }),
                let choices = field.options.choices, choices.count <= 64
            else { return nil }
            let ids = choices.filter { $0.name.utf8.firstRange(of: needle.utf8) != nil }.map(\.id.description)
            return Place(found: .anyOf(ids.map { .contains(field.cell(.text), $0) }), missing: missing)
        default: return nil
        }
    }

    private func compare(_ place: Place, _ comparison: FormulaComparison, _ value: FormulaValue) -> Pushdown? {
        func holds(_ left: FormulaValue) -> Bool? {
            if case .boolean(let holds) = FormulaValue.compare(left, comparison, value) { holds } else { nil }
        }
        // Places have an order, so between the first and one beyond all others nothing changes; but for equality.
        if comparison == .equal || comparison == .notEqual {
            let number = if case .text(let text) = value { FormulaValue.number(in: text) } else { value.asNumber }
            if let number, number >= 1 { return nil }
        }
        guard let first = holds(.number(1)), let last = holds(.number(1e15)), first == last,
            let missing = holds(place.missing)
        else { return nil }
        switch (first, missing) {
        case (true, true), (false, false): return .always(first)
        case (true, false): return Pushdown(place.found)
        case (false, true): return Pushdown(.negated(place.found))
        }
    }
}

extension FormulaComparison {
    /// The same said from the other side.
    fileprivate var mirrored: FormulaComparison {
        switch self {
        case .equal, .notEqual: self
        case .less: .greater
        case .lessOrEqual: .greaterOrEqual
        case .greater: .less
        case .greaterOrEqual: .lessOrEqual
        }
    }
}
