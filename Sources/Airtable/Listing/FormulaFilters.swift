import Domain
import Formula

/// Filters records by Airtable's formulas.
struct FormulaFilters: FilterCompiler {
    func predicate(
        _ formula: String,
        table: Table,
        environment: FilterEnvironment
    ) throws(AirtableError) -> any RecordPredicate {
        let schema = Self.schema(of: table)
        return FormulaPredicate(
            formula: try Self.compiled(formula, schema),
            schema: schema,
            slots: table.fields,
            environment: FormulaEnvironment(
                now: environment.now,
                timeZone: environment.timeZone,
                locale: environment.locale
            )
        )
    }

    static func schema(of table: Table) -> FormulaSchema { FormulaSchema(table.fields) { FormulaType($0) } }

    func text(of formula: String, table: Table, naming: FieldNaming) throws(AirtableError) -> String {
        try Self.compiled(formula, Self.schema(of: table)).text(naming: { slot in
            switch naming {
            case .identifiers: table.fields[slot].id.description
            case .names: table.fields[slot].name
            }
        })
    }

    private static func compiled(_ formula: String, _ schema: FormulaSchema) throws(AirtableError) -> Formula {
        do { return try Formula(formula, schema: schema) } catch { throw refusal(error) }
    }

    /// In the words of the hosted API, with what the engine knows more in the hint.
    static func refusal(_ error: FormulaError) -> AirtableError {
        let problem =
            error.unknownFields.isEmpty
            ? "Invalid formula. Please check your formula text."
            : "Unknown field names: \(error.unknownFields.joined(separator: ", "))"
        let place = "\(error.message) (at character \(error.position + 1))"
        return .invalidFilter(problem, hint: [place, error.hint].compactMap { $0 }.joined(separator: "; "))
    }
}

struct FormulaPredicate: PushablePredicate {
    let formula: Formula
    let schema: FormulaSchema
    /// The fields by slot.
    let slots: [Field]
    let environment: FormulaEnvironment
    let fields: Set<FieldID>

    init(formula: Formula, schema: FormulaSchema, slots: [Field], environment: FormulaEnvironment) {
        self.formula = formula
        self.schema = schema
        self.slots = slots
        self.environment = environment
        fields = Set(formula.referencedSlots.map { slots[$0].id })
    }

    var readsTimes: Bool { formula.dependencies.contains(.lastModifiedTime) }

    var pushdown: Pushdown? {
        PushdownCompiler(formula, schema: schema, slots: slots, environment: environment).compile()
    }

    func holds(for record: Record, links: LinkTexts) -> Bool {
        formula.accepts(StoredFormulaRow(record: record, slots: slots, links: links), in: environment)
    }
}

/// A stored record as formulas see it.
struct StoredFormulaRow: FormulaRow {
    let record: Record
    let slots: [Field]
    let links: LinkTexts

    var recordID: String? { record.id.description }
    var createdTime: Instant? { record.createdTime }

    func lastModifiedTime(_ slots: [Int]?) -> Instant? {
        let fields = slots.map { slots in slots.map { self.slots[$0] } } ?? self.slots
        let times = fields.lazy.filter { !$0.type.isComputed }.compactMap { record.changedTimes[$0.id] }
        return times.max() ?? record.createdTime.cutToMilliseconds
    }

    func value(_ slot: Int) -> FormulaValue {
        let field = slots[slot]
        return Self.value(of: record.cells[field.id] ?? field.implicitCell(created: record.createdTime), field, links)
    }

    /// What formulas see of a cell.
    static func value(of cell: CellValue?, _ field: Field, _ links: LinkTexts) -> FormulaValue {
        switch cell {
        case nil: .blank
        case .text(let text): .text(text)
        case .number(let number): .number(number)
        case .checked: .boolean(true)
        case .choice(let id): field.options.choiceName(id).map { .text($0) } ?? .blank
        case .choices(let ids): .array(ids.compactMap { field.options.choiceName($0).map { .text($0) } })
        case .date(let date): .date(FormulaDate(Self.midnight(date), isDay: true))
        case .dateTime(let instant): .date(FormulaDate(instant))
        case .links(let ids): .array(ids.compactMap { links[$0].map { .text($0) } })
        case .collaborator(let person): .text(person.displayName)
        case .collaborators(let people): .array(people.map { .text($0.displayName) })
        case .attachments(let files): .array(files.map { .text($0.filename) })
        case .barcode(let code): .text(code.text)
        case .button(let button): .text(button.label)
        case .aiText(let text): text.value.map { .text($0) } ?? .blank
        case .computed(let value): Self.value(of: value, links)
        }
    }

    private static func value(of computed: ComputedValue, _ links: LinkTexts) -> FormulaValue {
        switch computed {
        case .text(let text): .text(text)
        case .number(let number): .number(number)
        case .special(.notANumber): .number(.nan)
        case .special(.infinity): .number(.infinity)
        case .special(.negativeInfinity): .number(-.infinity)
        case .boolean(let flag): .boolean(flag)
        case .day(let date): .date(FormulaDate(midnight(date), isDay: true))
        case .moment(let instant): .date(FormulaDate(instant))
        case .collaborator(let person): .text(person.displayName)
        case .attachment(let file): .text(file.filename)
        case .barcode(let code): .text(code.text)
        case .record(let id): links[id].map { .text($0) } ?? .blank
        case .list(let values): .array(values.map { value(of: $0, links) })
        case .blank: .blank
        case .error: .error
        }
    }

    private static func midnight(_ date: CalendarDate) -> Instant {
        Instant(milliseconds: Int64(date.daysSinceEpoch) * 86_400_000)
    }
}
