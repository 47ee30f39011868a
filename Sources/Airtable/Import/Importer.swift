import Access
public import Domain
import Foundation

/// What to do when a base of that name is there already.
public enum ImportMode: String, Sendable, Hashable, CaseIterable {
    /// Refuse, and say how else it can be done.
    case create
    /// Do nothing.
    case ifAbsent
    /// Put the imported tables in place of all the base has.
    case replace
    /// Add rows to tables of the same name, and the tables it lacks.
    case append
}

/// How an import is to be done.
public struct ImportOptions: Sendable, Hashable {
    public var mode: ImportMode
    /// Leaves rows out that can't be read, and links that lead nowhere, in place of refusing the file.
    public var skipsBadRows: Bool
    /// Reads and decides, and writes nothing.
    public var isDryRun: Bool
    /// The base's name; by default what the files say.
    public var baseName: String?

    public init(
        mode: ImportMode = .create,
        skipsBadRows: Bool = false,
        isDryRun: Bool = false,
        baseName: String? = nil
    ) {
        self.mode = mode
        self.skipsBadRows = skipsBadRows
        self.isDryRun = isDryRun
        self.baseName = baseName
    }
}

/// How far an import is.
public struct ImportProgress: Sendable, Hashable {
    public enum Phase: String, Sendable { case reading, writing }
    public var phase: Phase
    public var table: String
    /// Bytes while reading, rows while writing.
    public var done: Int64
    public var total: Int64
}

/// What an import did.
public struct ImportReport: Sendable {
    public enum Outcome: String, Sendable { case imported, alreadyThere, dryRun }

    public struct TableReport: Sendable {
        public var name: String
        public var id: TableID?
        public var rowCount: Int
        public var skippedCount: Int
        public var columns: [Column]
    }

    public struct Column: Sendable, Hashable {
        public var name: String
        public var type: FieldType
        /// For a link, the table it leads to.
        public var linkedTable: String?
        public var isPrimary: Bool
    }

    public var outcome: Outcome
    public var baseName: String
    public var base: BaseID?
    public var tables: [TableReport]
    /// The first rows and links left out, for people.
    public var skipped: [ImportError]
    public var skippedLinkCount: Int
    /// Of the change log, where `undo` takes the whole back: of up to `Limits.proposedRecords` rows for tables there are.
    public var transaction: Int64?
}

/// Imports files as a base: everything is read and checked first, then written under the cover of hidden tables, and
/// published at once.
///
/// A file that is broken anywhere leaves nothing behind. A crash leaves hidden rows, which the next import or server
/// start removes. Memory is flat but for link names: 16 bytes a row, and the names of linked tables.
public struct Importer: Sendable {
    let service: AirtableService
    let context: RequestContext
    let progress: @Sendable (ImportProgress) -> Void
    private let permission: Permission?

    /// - Parameter permission: the only one that the caller was asked for, `schemaWrite`, or `recordsWrite` for rows of
    ///   tables there are; without one, each step asks for what it needs.
    public init(
        service: AirtableService,
        context: RequestContext,
        by permission: Permission? = nil,
        progress: @escaping @Sendable (ImportProgress) -> Void = { _ in }
    ) {
        self.service = service
        self.context = context
        self.permission = permission
        self.progress = progress
    }

    var imports: ImportStore { service.imports(by: permission) }

    func reads(_ usual: Permission) -> GatedReads { service.reads(by: permission ?? usual) }

    /// Imports a file or directory.
    ///
    /// - Throws: `ImportError` (what is wrong, in which file and line), `AirtableError`, `AccessError`.
    public func run(_ path: String, options: ImportOptions = ImportOptions()) async throws -> ImportReport {
        var plan = try ImportPlan.read(path)
        if plan.isDocument { return try await runDocument(path, options: options) }
        if let name = options.baseName { plan.baseName = name }
        if !options.isDryRun { try await clearInterrupted() }
        let existing = try await existingBase(named: plan.baseName)
        if let existing, let report = try answer(for: existing, options) { return report }
        return try await run(plan, options: options, over: existing)
    }

    /// What is to be said at once when there is a base of the name.
    func answer(for existing: Base, _ options: ImportOptions) throws(ImportError) -> ImportReport? {
        switch options.mode {
        case .ifAbsent: return alreadyThere(existing)
        case .create where !options.isDryRun:
            throw ImportError(
                .baseExists,
                "there is a base named \"\(existing.name)\" already",
                hint: "--replace puts this in its place, --append adds to it, --if-absent does nothing"
            )
        default: return nil
        }
    }

    func run(_ plan: ImportPlan, options: ImportOptions, over existing: Base?) async throws -> ImportReport {
        let appended = options.mode == .append ? existing : nil
        let preparation = try await ImportPreparation(self, plan: plan, options: options, appendingTo: appended)
        let target: ImportTarget =
            switch (existing, options.mode) {
            case (let base?, .replace): .replacing(base.id)
            case (let base?, .append): .appending(base.id, tables: preparation.appendedTables)
            default: .newBase(name: plan.baseName, workspace: nil)
            }
        if case .appending = target {
            // Told before anybody is asked, too.
            try await imports.requireTarget(target, makesTables: !preparation.drafts.isEmpty, context: context)
        }
        if options.isDryRun { return preparation.report(.dryRun, base: existing, ids: [:]) }
        do {
            return try await write(preparation, target: target)
        } catch let error as AirtableError where error.code == .duplicateBaseName && options.mode == .ifAbsent {
            // Another import was first, while this one read its files.
            guard let base = try await existingBase(named: plan.baseName) else { throw error }
            return alreadyThere(base)
        }
    }

    /// `report`, which the audit log has then.
    func noted(_ report: ImportReport) -> ImportReport {
        let records = report.tables.reduce(0) { $0 + $1.rowCount }
        service.access.audit.note(
            .imported,
            by: context,
            object: report.base.map { AuditObject(.base, $0) },
            details: [.tables: "\(report.tables.count)", .records: "\(records)"]
        )
        return report
    }

    /// Removes what interrupted imports of this machine left, and those of others whose lease ran out.
    public func clearInterrupted() async throws {
        _ = try await imports.clearInterrupted(isGone: ImportOwner.isGone, context: context)
    }

    func existingBase(named name: String) async throws -> Base? {
        try await reads(.basesRead).bases(context: context).first { $0.name.lowercased() == name.lowercased() }
    }

    private func alreadyThere(_ base: Base) -> ImportReport {
        ImportReport(
            outcome: .alreadyThere,
            baseName: base.name,
            base: base.id,
            tables: [],
            skipped: [],
            skippedLinkCount: 0
        )
    }

    private func write(_ preparation: ImportPreparation, target: ImportTarget) async throws -> ImportReport {
        let session = try await imports.begin(
            target,
            tables: preparation.drafts,
            owner: ImportOwner.current,
            context: context
        )
        do {
            var writer = try await ImportWriter(preparation, session: session, importer: self)
            for table in preparation.scans.indices { try await writer.writeRows(of: table) }
            var report = preparation.report(.imported, base: session.base, ids: writer.tableIDs)
            report.transaction = try await show(session, rows: preparation.scans.reduce(0) { $0 + $1.rowCount })
            return noted(report)
        } catch {
            // The first error is the one to tell; what can't be removed now is removed by the next start.
            try? await imports.abandon(session.id, context: context)
            throw error
        }
    }
}

extension Importer {
    /// - Returns: the transaction that takes it back.
    private func show(_ session: ImportSession, rows count: Int) async throws -> Int64? {
        if ImportStore.isWrite(session, rows: count) {
            do { return try await imports.write(session, context: context) } catch let error as AirtableError
                where error.code == .tooLarge
            {
                // Too much follows from it for a write; it is announced as a whole then.
            }
        }
        _ = try await imports.publish(session, context: context)
        return nil
    }
}

/// Who runs an import, as the journal names them: host and process.
enum ImportOwner {
    private static var host: String { ProcessInfo.processInfo.hostName }

    static var current: String { "\(host) \(ProcessInfo.processInfo.processIdentifier)" }

    static func isGone(_ entry: ImportJournalEntry) -> Bool { isGone(entry.owner) }

    /// Whether the owner was a process of this machine that has ended. What follows host and process is theirs.
    static func isGone(_ owner: String) -> Bool {
        let parts = owner.split(separator: " ")
        guard parts.count >= 2, parts[0] == host, let process = Int32(parts[1]) else { return false }
        return kill(process, 0) != 0 && errno == ESRCH
    }
}
