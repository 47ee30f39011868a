import Database
import Domain

/// Checks that what is stored obeys the rules that the store keeps.
///
/// Every row is as its digest says and every cell reads as its field says; both sides of every link agree; counters match; the change
/// log has no gaps; no checkpoint is ahead of it. One pass over all rows in one snapshot, in memory
/// that does not grow with them.
struct StoreVerifier {
    private let transaction: any Transaction
    private let schema: TenantSchema
    private(set) var report = StoreReport()
    /// Sums over all links of a field, of the pair (this record, that record) and the reverse; see
    /// `LinkSum`.
    private var forward: [FieldID: LinkSum] = [:]
    private var backward: [FieldID: LinkSum] = [:]

    private var tenant: TenantID { schema.tenant }

    init(schema: TenantSchema, transaction: any Transaction) {
        self.schema = schema
        self.transaction = transaction
    }

    mutating func run() throws {
        for base in schema.bases {
            for model in schema.tables(in: base.id) { try check(model) }
        }
        // Of a mirror both sides of a link come by themselves, one perhaps before the other.
        for base in schema.bases where schema.home(of: base.id) == .embedded {
            for model in schema.tables(in: base.id) { try checkLinks(of: model) }
        }
        for base in schema.bases {
            guard let graph = schema.graph(of: base.id) else { continue }
            for model in schema.tables(in: base.id) where model.hasRules { try checkComputed(model, graph) }
        }
        try checkOrphans()
        try checkChanges()
    }

    // MARK: Tables

    private mutating func check(_ model: TableModel) throws {
        report.tables += 1
        checkSchema(model)
        let (choices, rowCheck) = (Self.choices(model), RowCheck(model, tenant))
        var count = 0
        var largest: Int64 = 0
        var numbers: Set<Int64> = []
        var position: Int64?
        while true {
            let page = try RecordStore().uncheckedPage(
                after: position,
                limit: Limits.internalPageRecords,
                at: model.number,
                in: transaction
            )
            for row in page {
                count += 1
                if let last = position, try row.integer(0) <= last {
                    report.add("The rows of table \(model.table.id) are out of order.")
                    return
                }
                largest = try row.integer(0)
                position = largest
                do { try check(try rowCheck.row(row), model, choices, &numbers) } catch let error as AirtableError {
                    report.add(error.message)
                }
            }
            if page.count < Limits.internalPageRecords { break }
        }
        report.records += count
        try checkCounters(model, count: count, largest: largest, largestNumber: numbers.max())
    }

    private mutating func check(
        _ row: StoredRow,
        _ model: TableModel,
        _ choices: [FieldID: Set<ChoiceID>],
        _ numbers: inout Set<Int64>
    ) throws {
        guard let cells = try? StoredCells.decode(row.cells, model: model) else {
            return report.add("Record \(row.id) of table \(model.table.id) cannot be read.")
        }
        check(cells, of: row.id, model, choices)
        guard let field = model.autoNumberFields.first else { return }
        guard case .number(let number) = cells[field], let whole = number.asWholeNumber else {
            return report.add("Record \(row.id) has no number in its autoNumber field.")
        }
        if !numbers.insert(whole).inserted { report.add("Record \(row.id) shares its autoNumber.") }
    }

    private mutating func checkSchema(_ model: TableModel) {
        let table = model.table
        if model.field(id: table.primaryField) == nil { report.add("Table \(table.id) has no primary field.") }
        for field in table.fields where field.ordinal >= model.nextOrdinal {
            report.add("Field \(field.id) has an ordinal beyond its table's counter.")
        }
        for field in model.linkFields where schema.home(of: table.base) == .embedded {
            guard let linked = field.options.linkedTable.flatMap({ schema.table($0) }),
                let inverse = field.options.inverseLinkField.flatMap({ linked.field(id: $0) }),
                inverse.options.linkedTable == table.id, inverse.options.inverseLinkField == field.id
            else {
                report.add("Link field \(field.id) has no proper other side.")
                continue
            }
        }
    }

    private mutating func check(
        _ cells: [FieldID: CellValue],
        of record: RecordID,
        _ model: TableModel,
        _ choices: [FieldID: Set<ChoiceID>]
    ) {
        // What the service has of a mirror may have lost a choice that is still in a record here.
        let isOwn = schema.home(of: model.table.base) == .embedded
        for (id, value) in cells {
            switch value {
            case .choice(let choice):
                if isOwn, choices[id]?.contains(choice) != true {
                    report.add("Record \(record) has an unknown choice in \(id).")
                }
            case .choices(let list):
                let areKnown = !isOwn || choices[id]?.isSuperset(of: list) == true
                if !areKnown || Set(list).count != list.count || list.isEmpty {
                    report.add("Record \(record) has unknown or repeated choices in \(id).")
                }
            case .links(let targets):
                if Set(targets).count != targets.count || targets.isEmpty {
                    report.add("Record \(record) has repeated links in \(id).")
                }
                report.links += targets.count
                for target in targets {
                    forward[id, default: LinkSum()].add(record, target)
                    backward[id, default: LinkSum()].add(target, record)
                }
            case .text(let text):
                if text.isEmpty { report.add("Record \(record) has an empty text in \(id).") }
            case .attachments(let files):
                if Set(files.map(\.id)).count != files.count || files.isEmpty {
                    report.add("Record \(record) has repeated attachments in \(id).")
                }
            case .collaborators(let people):
                if Set(people).count != people.count || people.isEmpty {
                    report.add("Record \(record) has repeated people in \(id).")
                }
            case .number, .checked, .date, .dateTime, .collaborator, .barcode, .button, .aiText, .computed: break
            }
        }
    }

    private mutating func checkCounters(
        _ model: TableModel,
        count: Int,
        largest: Int64,
        largestNumber: Int64?
    ) throws {
        let row = try transaction.firstRow(
            "SELECT next_position, next_number, records FROM table_counters WHERE tenant = $1 AND table_number = $2",
            [tenant.sql, SQLValue(model.number)]
        )
        guard let row else { return report.add("Table \(model.table.id) has no counters.") }
        if try row.integer(0) <= largest { report.add("Table \(model.table.id) would give out a place twice.") }
        if try row.integer(1) <= largestNumber ?? 0 {
            report.add("Table \(model.table.id) would give out a number twice.")
        }
        let indexed = try transaction.firstRow(
            "SELECT COUNT(*) FROM records WHERE table_number = $1",
            [SQLValue(model.number)]
        )
        if try indexed?.integer(0) != Int64(count) { report.add("Rows of table \(model.table.id) lie outside it.") }
        let counted = try row.integer(2)
        if counted != count { report.add("Table \(model.table.id) counts \(counted) records and holds \(count).") }
    }

    /// Makes the table's computed cells anew, from what is stored, and compares. Those that change with time are passed over.
    private mutating func checkComputed(_ model: TableModel, _ graph: DependencyGraph) throws {
        let fields = graph.ranks(in: model.table.id).map { graph.fields[$0] }.filter { !$0.isVolatile }
        var position: Int64?
        while true {
            let rows = try RecordStore().soundPage(
                after: position,
                limit: Limits.internalPageRecords,
                of: model,
                tenant: tenant,
                in: transaction,
                onDamage: { _ in }
            )
            var session = WriteSession(
                schema: schema,
                actor: UserID.random(),
                now: .now(),
                computing: .markedOnly,
                transaction: transaction
            )
            for row in rows.sound { try session.admit(row, model) }
            for field in fields { session.marked[field.id] = Set(rows.sound.map(\.id)) }
            // A row that it reads may be damaged; that is reported already.
            do { try session.compute() } catch let error as AirtableError where error.code == .corrupt { return }
            for key in session.derived {
                report.add(
                    "Computed cells of record \(key.record) of table \(model.table.id) are not what they should be."
                )
            }
            guard let next = rows.next else { return }
            position = next
        }
    }

    private static func choices(_ model: TableModel) -> [FieldID: Set<ChoiceID>] {
        var choices: [FieldID: Set<ChoiceID>] = [:]
        for field in model.table.fields {
            if let list = field.options.choices { choices[field.id] = Set(list.map(\.id)) }
        }
        return choices
    }

    // MARK: Links

    private mutating func checkLinks(of model: TableModel) throws {
        for field in model.linkFields {
            guard let inverse = field.options.inverseLinkField else { continue }
            if forward[field.id] ?? LinkSum() != backward[inverse] ?? LinkSum() {
                report.add("The links of field \(field.id) and of its other side \(inverse) do not agree.")
            }
        }
    }

    /// Rows that no table claims: neither seen, nor hidden for an import, nor waiting to be
    /// cleared.
    private mutating func checkOrphans() throws {
        let row = try transaction.firstRow(
            """
            SELECT COUNT(*) FROM (
                SELECT DISTINCT table_number FROM records EXCEPT SELECT number FROM tables
            ) AS orphans
            """
        )
        let orphans = try row?.integer(0) ?? 0
        if orphans > 0 { report.add("\(orphans) tables that do not exist still have rows.") }
    }

    // MARK: Changes

    private mutating func checkChanges() throws {
        let extent = try ChangeLogStore().extent(tenant: tenant, in: transaction)
        let row = try transaction.firstRow(
            """
            SELECT COUNT(*), COALESCE(MIN(sequence), 0), COALESCE(MAX(sequence), 0), COALESCE(SUM(bytes), 0)
            FROM change_log WHERE tenant = $1
            """,
            [tenant.sql]
        )
        guard let row else { return }
        let (count, first, last) = (try row.integer(0), try row.integer(1), try row.integer(2))
        report.changes = Int(count)
        if extent.latest - extent.oldest + 1 != count {
            report.add(
                "The change log should hold \(extent.oldest) to \(extent.latest), and holds \(count) entries."
            )
        } else if count > 0, first != extent.oldest || last != extent.latest {
            report.add("The change log goes from \(first) to \(last), not \(extent.oldest) to \(extent.latest).")
        }
        try checkChangeBytes(try Self.number(row[3]))
        try checkChangeRows()
        try checkCommentsAndViews()
        for (consumer, sequence) in try ChangeLogStore().checkpoints(tenant: tenant, in: transaction)
        where sequence > extent.latest {
            report.add("The checkpoint of \(consumer) is at \(sequence), beyond the newest change \(extent.latest).")
        }
    }

    private mutating func checkCommentsAndViews() throws {
        var problems: [String] = []
        for (rows, order) in [
            (CommentStore.comments, "id"), (CommentStore.log, "sequence"), (ViewStore.views, "id"),
        ] {
            try transaction.forEachRow(rows.query(where: "tenant = $1", orderedBy: order), [tenant.sql]) { row in
                if !rows.holds(row) { problems.append(rows.damaged(row).message) }
            }
        }
        for problem in problems { report.add(problem) }
    }

    private mutating func checkChangeRows() throws {
        var problems: [String] = []
        let rows = ChangeLogStore.rows
        let query = rows.query(where: "tenant = $1", orderedBy: "sequence")
        try transaction.forEachRow(query, [tenant.sql]) { row in
            if !rows.holds(row) { problems.append(rows.damaged(row).message) }
        }
        for problem in problems { report.add(problem) }
    }

    private mutating func checkChangeBytes(_ bytes: Int64?) throws {
        let state = try transaction.firstRow("SELECT log_bytes FROM store_tenants WHERE tenant = $1", [tenant.sql])
        if let state, try state.integer(0) != bytes { report.add("The size of the change log is counted wrong.") }
    }

    /// PostgreSQL sums integers as decimals.
    private static func number(_ value: SQLValue) throws -> Int64? {
        switch value {
        case .integer(let number): number
        case .real(let number): Int64(number)
        case .text(let text): Int64(text)
        case .null, .bytes: nil
        }
    }
}

/// A sum over pairs of records that two sets of the same pairs share, and others do not (up to
/// 2⁻¹²⁸).
private struct LinkSum: Equatable {
    private var count = 0
    private var first: UInt64 = 0
    private var second: UInt64 = 0

    mutating func add(_ from: RecordID, _ to: RecordID) {
        count += 1
        first &+= Self.hash(from, to, seed: 0)
        second &+= Self.hash(from, to, seed: 1)
    }

    private static func hash(_ from: RecordID, _ to: RecordID, seed: Int) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(seed)
        hasher.combine(from)
        hasher.combine(to)
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }
}
