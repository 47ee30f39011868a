import Domain
import Formula

/// Compiles the computed fields of one base, and puts them into an order in which each comes after what it reads.
///
/// Fields are compiled twice: first with nothing known of computed fields, to see what each reads; then in their
/// order, when the types of what they read are known. Nothing here recurses, so that a chain of ten thousand fields
/// is as good as one of two.
struct GraphBuilder {
    private struct Draft {
        let table: Int
        let field: Field
        var rule: ComputedField.Rule = .invalid
        var sources: [FieldSource] = []
        var texts: [LinkedTexts] = []
        /// Drafts that it reads.
        var reads: Set<Int> = []
        var problem: String?
    }

    private let tables: [Table]
    private let tablePlaces: [TableID: Int]
    private let fieldPlaces: [FieldID: (table: Int, place: Int)]
    /// By table; types of computed fields are filled in as they become known.
    private var schemas: [FormulaSchema]
    private var drafts: [Draft] = []
    private var draftPlaces: [FieldID: Int] = [:]
    private var types: [FieldID: FormulaType] = [:]
    /// Computed fields as they are known by now.
    private var known: [FieldID: Field] = [:]

    init(_ tables: [Table]) {
        self.tables = tables
        tablePlaces = Dictionary(tables.enumerated().map { ($0.element.id, $0.offset) }) { first, _ in first }
        var places: [FieldID: (table: Int, place: Int)] = [:]
        for (number, table) in tables.enumerated() {
            for (place, field) in table.fields.enumerated() { places[field.id] = (number, place) }
        }
        fieldPlaces = places
        schemas = tables.map { FormulaSchema($0.fields) { FormulaType($0) } }
        for (number, table) in tables.enumerated() {
            for field in table.fields where field.type.isRuled {
                draftPlaces[field.id] = drafts.count
                drafts.append(Draft(table: number, field: field))
            }
        }
    }

    mutating func build() -> (fields: [ComputedField], problems: [FieldID: String]) {
        for place in drafts.indices { prepare(place) }
        for place in drafts.indices {
            drafts[place].reads = Set(drafts[place].sources.compactMap { draftPlaces[$0.field] })
        }
        breakCircles()
        var fields: [ComputedField] = []
        var problems: [FieldID: String] = [:]
        for place in order() {
            let field = finished(place)
            fields.append(field)
            known[field.id] = field.field
            types[field.id] = field.type
            if let (table, slot) = fieldPlaces[field.id] { schemas[table].set(field.type, ofSlot: slot) }
            problems[field.id] = drafts[place].problem
        }
        return (fields, problems)
    }

    // MARK: What each reads

    private mutating func prepare(_ place: Int) {
        let draft = drafts[place]
        switch draft.field.type {
        case .formula, .button:
            guard let text = draft.field.options.formula, !text.isEmpty else {
                if draft.field.type == .formula { return drafts[place].problem = "it has no formula" }
                return drafts[place].rule = .button(label: draft.field.options.label ?? "", nil)
            }
            do throws(FormulaError) {
                try prepare(Formula(text, schema: schemas[draft.table]), place)
            } catch {
                drafts[place].problem = Self.problem(error)
            }
        default: prepareLinked(place)
        }
    }

    private mutating func prepare(_ formula: Formula, _ place: Int) {
        let (table, field) = (tables[drafts[place].table], drafts[place].field)
        drafts[place].rule =
            field.type == .button ? .button(label: field.options.label ?? "", formula) : .formula(formula)
        let read = formula.referencedSlots.map { table.fields[$0] }
        for field in read {
            add(FieldSource(field: field.id, path: []), to: place)
            addTexts(of: field, behind: [], to: place)
        }
        addTimes(of: formula, to: place)
    }

    /// A formula that asks when its record was changed follows all that people set in it.
    private mutating func addTimes(of formula: Formula, to place: Int) {
        guard formula.dependencies.contains(.lastModifiedTime) else { return }
        for field in tables[drafts[place].table].fields where !field.type.isComputed {
            add(FieldSource(field: field.id, path: []), to: place)
        }
    }

    private mutating func prepareLinked(_ place: Int) {
        let (table, options) = (tables[drafts[place].table], drafts[place].field.options)
        guard let link = options.recordLinkField.flatMap({ table.field(id: $0) }), link.type == .multipleRecordLinks,
            let linked = link.options.linkedTable.flatMap({ tablePlaces[$0] })
        else { return drafts[place].problem = "the link that it goes through is gone" }
        add(FieldSource(field: link.id, path: []), to: place)
        if drafts[place].field.type == .count { return drafts[place].rule = .count(link: link.id) }
        guard let target = options.fieldInLinkedTable.flatMap({ tables[linked].field(id: $0) }) else {
            return drafts[place].problem = "the field at the other end of its link is gone"
        }
        if drafts[place].field.type == .multipleLookupValues {
            drafts[place].rule = .lookup(link: link.id, target: target)
        } else {
            do throws(FormulaError) {
                let formula = try Self.aggregation(options, of: .any)
                drafts[place].rule = .rollup(link: link.id, target: target, formula)
                addTexts(of: target, behind: [link.id], to: place)
                addTimes(of: formula, to: place)
            } catch {
                return drafts[place].problem = Self.problem(error)
            }
        }
        add(FieldSource(field: target.id, path: [link.id]), to: place)
    }

    /// Without a formula of its own, a rollup gives what it finds.
    private static func aggregation(_ options: FieldOptions, of type: FormulaType) throws(FormulaError) -> Formula {
        let text = options.formula ?? ""
        let values = FormulaField(name: "values", type: .array(type))
        return try Formula(text.isEmpty ? "values" : text, schema: FormulaSchema([values]))
    }

    private mutating func add(_ source: FieldSource, to place: Int) {
        if !drafts[place].sources.contains(source) { drafts[place].sources.append(source) }
    }

    /// Where `field` names records, formulas read their primary values.
    private mutating func addTexts(of field: Field, behind path: [FieldID], to place: Int) {
        guard let end = recordPath(of: field), let table = tablePlaces[end.table] else { return }
        let path = path + end.path
        let texts = LinkedTexts(path: path, table: end.table)
        if !drafts[place].texts.contains(texts) { drafts[place].texts.append(texts) }
        add(FieldSource(field: tables[table].primaryField, path: path), to: place)
    }

    /// The links from a record to those that its cell of `field` names: a link itself, or a lookup of links.
    private func recordPath(of field: Field) -> (path: [FieldID], table: TableID)? {
        var (field, path, seen): (Field, [FieldID], Set<FieldID>) = (field, [], [])
        while field.type == .multipleLookupValues, seen.insert(field.id).inserted {
            guard let link = field.options.recordLinkField, let target = field.options.fieldInLinkedTable,
                let place = fieldPlaces[target]
            else { return nil }
            path.append(link)
            field = tables[place.table].fields[place.place]
        }
        guard field.type == .multipleRecordLinks, let linked = field.options.linkedTable else { return nil }
        return (path + [field.id], linked)
    }

    private static func problem(_ error: FormulaError) -> String {
        let place = "\(error.message) (at character \(error.position + 1))"
        return [place, error.hint].compactMap { $0 }.joined(separator: "; ")
    }

    // MARK: Order

    /// Makes every field that reads itself, however far round, invalid.
    private mutating func breakCircles() {
        let behind = remaining(reading: drafts.map(\.reads))
        if behind.isEmpty { return }
        // Of what can't be ordered, a circle's fields are those that something else of it reads.
        var readers = Array(repeating: Set<Int>(), count: drafts.count)
        for place in behind {
            for read in drafts[place].reads where behind.contains(read) { readers[read].insert(place) }
        }
        let circular = remaining(reading: readers).intersection(behind)
        for place in circular { drafts[place].problem = circle(from: place, in: circular) }
        for place in circular {
            drafts[place].rule = .invalid
            drafts[place].sources = []
            drafts[place].texts = []
            drafts[place].reads = []
        }
    }

    /// "Orders.Total → Parts.Share → Orders.Total".
    private func circle(from place: Int, in circular: Set<Int>) -> String {
        var (path, places): ([Int], [Int: Int]) = ([], [:])
        var current = place
        while places[current] == nil {
            places[current] = path.count
            path.append(current)
            guard let next = drafts[current].reads.filter(circular.contains).min() else { break }
            current = next
        }
        let names = (path[(places[current] ?? 0)...] + [current]).prefix(20).map { place in
            "\(tables[drafts[place].table].name).\(drafts[place].field.name)"
        }
        return "it would be computed from itself: \(names.joined(separator: " → "))"
    }

    /// What can't be put into an order, because it waits for itself.
    private func remaining(reading reads: [Set<Int>]) -> Set<Int> {
        Set(drafts.indices).subtracting(Self.order(reads))
    }

    private func order() -> [Int] { Self.order(drafts.map(\.reads)) }

    /// A. B. Kahn's topological sort; fields that could stand at one place keep the order of their tables.
    private static func order(_ reads: [Set<Int>]) -> [Int] {
        var readers = Array(repeating: [Int](), count: reads.count)
        for (place, reads) in reads.enumerated() { for read in reads { readers[read].append(place) } }
        var waiting = reads.map(\.count)
        var order = waiting.indices.filter { waiting[$0] == 0 }
        var next = 0
        while next < order.count {
            for reader in readers[order[next]].sorted() {
                waiting[reader] -= 1
                if waiting[reader] == 0 { order.append(reader) }
            }
            next += 1
        }
        return order
    }

    // MARK: Types

    private mutating func finished(_ place: Int) -> ComputedField {
        let draft = drafts[place]
        var (rule, type) = (draft.rule, FormulaType.any)
        do throws(FormulaError) {
            switch draft.rule {
            case .formula(let formula), .button(_, let formula?):
                let typed = try Formula(formula.text, schema: schemas[draft.table])
                type = typed.resultType
                rule =
                    draft.field.type == .button
                    ? .button(label: draft.field.options.label ?? "", typed) : .formula(typed)
            case .rollup(let link, let target, _):
                let typed = try Self.aggregation(draft.field.options, of: types[target.id] ?? FormulaType(target))
                type = typed.resultType
                rule = .rollup(link: link, target: known[target.id] ?? target, typed)
            case .lookup(let link, let target):
                let item = types[target.id] ?? FormulaType(target)
                type = if case .array = item { item } else { .array(item) }
                rule = .lookup(link: link, target: known[target.id] ?? target)
            case .count: type = .number
            case .button(_, nil), .invalid: break
            }
        } catch {
            rule = .invalid
            drafts[place].problem = Self.problem(error)
        }
        let isValid = drafts[place].problem == nil
        return ComputedField(
            table: tables[draft.table].id,
            field: field(draft, rule, type, isValid: isValid),
            rule: rule,
            sources: isValid ? draft.sources : [],
            texts: isValid ? draft.texts : [],
            type: draft.field.type == .button ? .text : type
        )
    }

    /// The field with what is known of it now.
    private func field(_ draft: Draft, _ rule: ComputedField.Rule, _ type: FormulaType, isValid: Bool) -> Field {
        var field = draft.field
        if field.type.isDerived { field.options.isValid = isValid }
        guard isValid else { return field }
        switch rule {
        case .formula(let formula):
            field.options.referencedFields = formula.referencedSlots.map { tables[draft.table].fields[$0].id }
            field.options.result = FieldResult(type, wanted: field.options.result)
        case .rollup: field.options.result = FieldResult(type, wanted: field.options.result)
        case .lookup(_, let target): field.options.result = SchemaBuilder.result(of: target)
        case .count, .button, .invalid: break
        }
        return field
    }
}
