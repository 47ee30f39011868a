import Access
import Domain
import Formula

/// One formula of a record rule: the language of filters, with functions that say who is asking.
///
/// - `CURRENT_USER()` is the reader. Cells of people read as the people themselves here, not as their names, which may be shared
///   and which their bearers change: `{Owner}=CURRENT_USER()` compares identifiers. Where a field of texts is compared with it, and
///   named nowhere else in the formula, the reader's identifier or e-mail address counts as well.
/// - `CURRENT_USER_EMAIL()` is their address, blank without one.
/// - `CURRENT_GROUPS()` are the names of their groups.
struct RuleFormula: Sendable {
    private let formula: Formula
    private let schema: FormulaSchema
    private let slots: [Field]
    private let environment: FormulaEnvironment
    private let reader: RecordRule.Reader
    /// Of texts that may name the reader.
    private let naming: Set<Int>
    /// Whether people are known by their addresses: those of a hosted base are no users here.
    private let knowsByEmail: Bool

    /// - Parameter table: with all of its fields.
    /// - Throws: `FormulaError`.
    init(_ text: String, table: Table, reader: RecordRule.Reader, home: BaseHome, now: Instant) throws(FormulaError) {
        let schema = FormulaSchema(
            table.fields.map { field in
                FormulaField(
                    name: field.name,
                    id: field.id,
                    type: field.namesPeople ? .any : FormulaType(field),
                    isComputed: field.type.isComputed
                )
            },
            constants: [
                "CURRENT_USER": .text(reader.user.description),
                "CURRENT_USER_EMAIL": reader.email.map { .text($0) } ?? .blank,
                "CURRENT_GROUPS": .array(reader.groups.map { .text($0) }),
            ]
        )
        formula = try Formula(text, schema: schema)
        self.schema = schema
        slots = table.fields
        environment = FormulaEnvironment(now: now)
        self.reader = reader
        knowsByEmail = home != .embedded
        naming = Self.naming(formula, slots)
    }

    var fields: Set<FieldID> { Set(formula.referencedSlots.map { slots[$0].id }) }

    var readsTimes: Bool { formula.dependencies.contains(.lastModifiedTime) }

    /// Whether its result changes with time alone.
    var isVolatile: Bool { formula.dependencies.contains(.now) }

    /// Nil for an error.
    func holds(for record: Record, links: LinkTexts) -> Bool? {
        let row = Row(
            stored: StoredFormulaRow(record: record, slots: slots, links: links),
            rule: self
        )
        return formula.verdict(row, in: environment)
    }

    /// What SQL can say of it; nothing of people, who are stored in other words than they are compared in.
    var pushdown: Pushdown? {
        guard naming.isEmpty, !formula.referencedSlots.contains(where: { slots[$0].namesPeople }) else { return nil }
        return PushdownCompiler(formula, schema: schema, slots: slots, environment: environment).compile()
    }

    // MARK: Who is named

    /// Slots of texts that the formula names only to compare them with `CURRENT_USER()`.
    private static func naming(_ formula: Formula, _ slots: [Field]) -> Set<Int> {
        var (all, compared): ([Int: Int], [Int: Int]) = ([:], [:])
        let nodes = formula.syntax.nodes
        for index in nodes.indices {
            switch nodes[index].kind {
            case .field(let slot): all[slot, default: 0] += 1
            case .compare(let comparison) where comparison == .equal || comparison == .notEqual:
                let operands = formula.syntax.operands(of: index).map { nodes[$0].kind }
                guard operands.contains(where: { if case .call("CURRENT_USER", _) = $0 { true } else { false } }) else {
                    continue
                }
                for case .field(let slot) in operands where slots[slot].type.holdsText {
                    compared[slot, default: 0] += 1
                }
            default: break
            }
        }
        return Set(compared.filter { all[$0.key] == $0.value }.keys)
    }

    fileprivate func names(reader text: String) -> Bool {
        if text == reader.user.description { return true }
        return reader.email.map { nameKey($0) == nameKey(text) } ?? false
    }

    fileprivate func identity(of person: Collaborator) -> FormulaValue {
        if knowsByEmail, let email = person.email, let own = reader.email, nameKey(email) == nameKey(own) {
            return .text(reader.user.description)
        }
        return .text(person.id.description)
    }

    /// A record as rules see it.
    private struct Row: FormulaRow {
        let stored: StoredFormulaRow
        let rule: RuleFormula

        var recordID: String? { stored.recordID }
        var createdTime: Instant? { stored.createdTime }
        func lastModifiedTime(_ slots: [Int]?) -> Instant? { stored.lastModifiedTime(slots) }

        func value(_ slot: Int) -> FormulaValue {
            switch stored.record.cells[rule.slots[slot].id] {
            case .collaborator(let person): return rule.identity(of: person)
            case .collaborators(let people): return .array(people.map { rule.identity(of: $0) })
            case .computed(let value) where value.namesPeople: return people(in: value)
            case .text(let text) where rule.naming.contains(slot) && rule.names(reader: text):
                return .text(rule.reader.user.description)
            default: return stored.value(slot)
            }
        }

        private func people(in value: ComputedValue) -> FormulaValue {
            switch value {
            case .collaborator(let person): rule.identity(of: person)
            case .list(let values): .array(values.map { people(in: $0) })
            default: StoredFormulaRow.value(of: .computed(value), rule.slots[0], stored.links)
            }
        }
    }
}

extension FieldType {
    fileprivate var holdsText: Bool {
        switch self {
        case .singleLineText, .multilineText, .email: true
        default: false
        }
    }
}

extension Field {
    /// Whether its cells are people, or may be when it is computed.
    fileprivate var namesPeople: Bool {
        switch shown.type {
        case .singleCollaborator, .multipleCollaborators, .createdBy, .lastModifiedBy: true
        default: false
        }
    }
}

extension ComputedValue {
    fileprivate var namesPeople: Bool {
        switch self {
        case .collaborator: true
        case .list(let values): values.contains(where: \.namesPeople)
        default: false
        }
    }
}
