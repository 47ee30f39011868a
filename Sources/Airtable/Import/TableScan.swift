import Domain

/// The first pass over a file: every row checked, every type settled, nothing written.
///
/// A file that is broken anywhere is known to be so before the first record exists. Memory: the primary values and
/// the link cells of tables that take part in links; otherwise flat.
struct TableScan {
    let plan: ImportPlan.TablePlan
    private(set) var columns: [ImportColumn] = []
    private(set) var primaryColumn = 0
    private(set) var rowCount = 0
    /// Rows passed over by `skipsBadRows`, by line; the second pass skips them by position.
    private(set) var skippedCount = 0
    /// The first of them, for the report.
    private(set) var skipped: [ImportError] = []
    /// Row positions by primary value; the first of equals. Only when the table is linked to.
    private(set) var rowsByPrimaryValue: [String: Int32] = [:]
    /// The cells of link columns, in file order.
    private(set) var links: [LinkText] = []

    /// One name in a link cell.
    struct LinkText {
        let row: Int32
        let line: Int32
        let column: Int32
        let name: String
        /// Text that may hold several names, unless a record bears all of it as its name.
        let mayBeList: Bool
    }

    static let reportedErrorsMax = 20

    private var profiles: [ColumnProfile] = []
    private let isLinkTarget: Bool

    init(_ plan: ImportPlan.TablePlan, isLinkTarget: Bool) {
        self.plan = plan
        self.isLinkTarget = isLinkTarget
    }

    /// Reads the whole file.
    ///
    /// - Parameter progress: called now and then with the bytes read so far and altogether.
    mutating func run(skipsBadRows: Bool, progress: (_ done: Int64, _ total: Int64) throws -> Void) async throws {
        let source = try RowSources.open(plan.file)
        var sinceProgress = 0
        while true {
            do throws(ImportError) {
                guard let row = try source.next() else { break }
                growColumns(source.columns)
                try take(row)
            } catch {
                guard skipsBadRows, error.line != nil, source.canResume else { throw error }
                skippedCount += 1
                if skipped.count < Self.reportedErrorsMax { skipped.append(error) }
            }
            sinceProgress += 1
            if sinceProgress == 1_024 {
                sinceProgress = 0
                try progress(source.consumedBytes, source.totalBytes)
                // Some ten milliseconds of work: others of a server wait for this thread.
                await Task.yield()
            }
        }
        growColumns(source.columns)
        try settle()
        try progress(source.consumedBytes, source.totalBytes)
    }

    private mutating func growColumns(_ names: [String]) {
        for name in names.dropFirst(columns.count) {
            var column = ImportColumn(name: name, type: .singleLineText)
            var choicesMax = ColumnProfile.inferredChoicesMax
            switch plan.fields?[name] {
            case .type(let type):
                column.type = type
                if type == .singleSelect || type == .multipleSelects { choicesMax = ColumnProfile.declaredChoicesMax }
            case .link(let table):
                column.type = .multipleRecordLinks
                column.linkedTable = table
            case nil: break
            }
            columns.append(column)
            profiles.append(ColumnProfile(choicesMax: choicesMax))
            if name == plan.primary { primaryColumn = columns.count - 1 }
        }
    }

    private mutating func take(_ row: SourceRow) throws(ImportError) {
        try check(row)
        for (position, value) in row.values { note(value, at: position, row: row) }
        if isLinkTarget, let name = row.values.first(where: { $0.column == primaryColumn })?.value.nameText,
            rowsByPrimaryValue[name] == nil
        {
            rowsByPrimaryValue[name] = Int32(rowCount)
        }
        rowCount += 1
    }

    /// A value that is too long, or does not fit its declared type, is an error here, before anything of the row counts.
    private func check(_ row: SourceRow) throws(ImportError) {
        for (position, value) in row.values {
            do throws(ImportColumn.Mismatch) {
                try ImportColumn.checkLength(value)
                if plan.fields != nil { _ = try columns[position].cell(value) }
            } catch {
                let column = columns[position].name
                throw .invalidValue(plan.file, line: row.line, column: column, "expected \(error.expected)")
            }
        }
    }

    private mutating func note(_ value: JSONValue, at position: Int, row: SourceRow) {
        let column = columns[position]
        switch column.type {
        case .multipleRecordLinks:
            // Checked already: a link's type is always declared.
            var names = (try? column.names(value)) ?? []
            var mayBeList = false
            if case .string(let text) = value, names != [text] { (names, mayBeList) = ([text.trimmingSpace()], true) }
            for name in names {
                links.append(
                    LinkText(
                        row: Int32(rowCount),
                        line: Int32(row.line),
                        column: Int32(position),
                        name: name,
                        mayBeList: mayBeList
                    )
                )
            }
        case .multipleSelects:
            for name in (try? column.names(value)) ?? [] { profiles[position].noteChoice(name) }
        default:
            profiles[position].note(value)
        }
    }

    private mutating func settle() throws(ImportError) {
        guard !columns.isEmpty else { throw ImportError(.nothingToImport, "\(plan.file) holds no column") }
        try checkNames()
        if let primary = plan.primary, !columns.contains(where: { $0.name == primary }) {
            throw .malformedPlan(plan.file, "there is no column \"\(primary)\", which is to be the primary field")
        }
        if let table = plan.appendsTo { return try checkAppend(table) }
        for declared in (plan.fields ?? [:]).keys.sorted() where !columns.contains(where: { $0.name == declared }) {
            // A declared column that no JSON row has is an empty field; a CSV header must name it.
            guard plan.file.hasSuffix("csv") || plan.file.hasSuffix("tsv") else {
                growColumns(columns.map(\.name) + [declared])
                continue
            }
            throw .malformedPlan(plan.file, "there is no column \"\(declared)\"")
        }
        for position in columns.indices {
            let profile = profiles[position]
            if plan.fields == nil {
                columns[position].type = profile.inferredType(isPrimary: position == primaryColumn)
            }
            switch columns[position].type {
            case .number, .percent: columns[position].precision = profile.precision
            // Airtable shows at most seven decimals of money.
            case .currency: columns[position].precision = min(7, profile.precision)
            case .singleSelect, .multipleSelects:
                guard !profile.hasTooManyChoices else {
                    let found =
                        "column \"\(columns[position].name)\" has over \(ColumnProfile.declaredChoicesMax) choices"
                    throw .malformedPlan(plan.file, found)
                }
                columns[position].choices = profile.choices
            default: break
            }
        }
        try checkPrimary()
    }

    /// What the store would refuse, said of the file.
    private func checkNames() throws(ImportError) {
        guard columns.count <= Limits.fieldsPerTable else {
            throw .malformedFile(plan.file, "\(columns.count) columns; a table has at most \(Limits.fieldsPerTable)")
        }
        var seen: Set<String> = []
        for column in columns {
            guard !column.name.trimmingSpace().isEmpty else { throw .malformedFile(plan.file, "a column has no name") }
            guard column.name.unicodeScalars.count <= Limits.nameCharacters else {
                let name = column.name.cut(to: 40)
                throw .malformedFile(
                    plan.file,
                    "column \"\(name)\" has a name of more than \(Limits.nameCharacters) characters"
                )
            }
            guard seen.insert(column.name.lowercased()).inserted else {
                throw .malformedFile(plan.file, "two columns are named \"\(column.name)\", but for their case")
            }
        }
    }

    /// An append's columns are fields that are there already; some may be left out.
    private mutating func checkAppend(_ table: Table) throws(ImportError) {
        for (position, column) in columns.enumerated() {
            guard let field = table.field(column.name) else {
                let nearest = Spelling.nearest(to: column.name, among: table.fields.map(\.name))
                let hint = nearest.map { "; did you mean \"\($0)\"?" } ?? ""
                throw .malformedFile(plan.file, "table \"\(table.name)\" has no field \"\(column.name)\"\(hint)")
            }
            guard field.type.isImportable else {
                let why = field.type.isComputed ? "is computed and" : "is no text and"
                throw .malformedFile(plan.file, "field \"\(column.name)\" \(why) can't be imported")
            }
            guard column.type == .singleSelect || column.type == .multipleSelects else { continue }
            columns[position].choices = profiles[position].choices
        }
    }

    private func checkPrimary() throws(ImportError) {
        let primary = columns[primaryColumn]
        guard ![.checkbox, .multipleRecordLinks, .singleSelect, .multipleSelects].contains(primary.type) else {
            throw .malformedPlan(
                plan.file,
                "\"\(primary.name)\" can't be the primary field: it is a \(primary.type.rawValue)"
            )
        }
    }
}

extension JSONValue {
    /// A value as the name of its record.
    var nameText: String? {
        switch self {
        case .string(let text): text
        case .number(let number): number.text
        case .bool(let flag): flag ? "true" : "false"
        default: nil
        }
    }
}
