import Access
import Database
public import Domain
import Foundation

/// A copy of everything that cannot be made again: the database, the files of attachments, the audit log's checkpoints.
///
/// One snapshot, taken while others read and write. Files come before rows that name them, so they are copied before the
/// database and once more behind it: whatever a row of the copy names is there. Not in it: indexes (they are made anew),
/// and the master key with config.json, so that who finds a backup has no secret of it in the clear.
public struct Backup: Sendable {
    public struct Report: Sendable {
        public let directory: String
        public let files: Int
        public let bytes: Int64
        public let rows: Int64
    }

    private let services: Services

    public init(_ services: Services) { self.services = services }

    /// Makes the backup; until it is whole it lies beside its place, under another name.
    ///
    /// - Parameter target: a directory that is not there, or is empty.
    public func run(to target: String, context: RequestContext) async throws -> Report {
        guard BackupFiles.isFree(target) else {
            throw BackupError(
                code: .targetNotEmpty,
                message: "there is something in \(target) already",
                hint: "name a directory that is not there"
            )
        }
        // Before the snapshot, which then has it.
        try await services.access.audit.record(.backupMade, by: context, object: AuditObject(.backup, "directory"))
        let partial = "\(target).partial-\(ProcessInfo.processInfo.processIdentifier)"
        try? FileManager.default.removeItem(atPath: partial)  // of a process that had the number before us
        try BackupFiles.makeDirectory(partial)
        do {
            let manifest = try await fill(partial)
            var writer = JSONWriter(layout: .indented, byteLimit: .max)
            writer.value(manifest.json)
            let path = "\(partial)/\(BackupManifest.fileName)"
            try Data(writer.bytes).write(to: URL(fileURLWithPath: path))
            try BackupFiles.sync(path)
            try BackupFiles.publish(partial, as: target)
            return Report(
                directory: target,
                files: manifest.files.count,
                bytes: manifest.files.reduce(0) { $0 + $1.byteCount },
                rows: manifest.rows.values.reduce(0, +)
            )
        } catch {
            // The first error is the one to tell; what is left says by its name that it is no backup.
            try? FileManager.default.removeItem(atPath: partial)
            throw error
        }
    }

    private func fill(_ directory: String) async throws -> BackupManifest {
        let isSQLite = services.database.dialect == .sqlite
        var manifest = BackupManifest(
            engine: isSQLite ? .sqlite : .postgres,
            createdTime: Instant.now().iso8601,
            product: Product.version
        )
        var copied = try copyAttachments(to: directory, except: [:])
        let database = "\(directory)/\(manifest.databasePath)"
        manifest.rows = isSQLite ? try await copySQLite(to: database) : try await dumpPostgres(to: database)
        copied.merge(try copyAttachments(to: directory, except: copied)) { first, _ in first }
        manifest.files = Array(copied.values)
        manifest.files.append(try BackupFiles.describe(database, as: manifest.databasePath))
        let checkpoints = "audit/checkpoints.jsonl"
        let source = "\(services.configuration.dataDirectory)/\(checkpoints)"
        if let file = try BackupFiles.copy(source, to: "\(directory)/\(checkpoints)", as: checkpoints) {
            manifest.files.append(file)
        }
        return manifest
    }

    private func copyAttachments(
        to directory: String,
        except known: [String: BackupManifest.File]
    ) throws -> [String: BackupManifest.File] {
        let source = "\(services.configuration.dataDirectory)/attachments"
        var copied: [String: BackupManifest.File] = [:]
        for path in BackupFiles.files(below: source) where known["attachments/\(path)"] == nil {
            let name = "attachments/\(path)"
            // One that is gone by now is one that no row of the copy will name.
            copied[name] = try BackupFiles.copy("\(source)/\(path)", to: "\(directory)/\(name)", as: name)
        }
        return copied
    }

    private func copySQLite(to file: String) async throws -> [String: Int64] {
        guard let path = SQLiteCopy.path(of: services.configuration.databaseURL) else { return [:] }
        try await SQLiteCopy.copy(from: path, to: file)
        let copy = try await DatabaseOpener.open(url: "sqlite:\(file)")
        do {
            let rows = try await RowCounts.all(copy)
            await copy.close()
            return rows
        } catch {
            await copy.close()
            throw error
        }
    }

    /// The dump sees the same snapshot as the counts do.
    private func dumpPostgres(to file: String) async throws -> [String: Int64] {
        let url = services.configuration.databaseURL
        return try await services.database.read(of: .owner) { transaction in
            guard let snapshot = try transaction.firstRow("SELECT pg_export_snapshot()")?.text(0) else { return [:] }
            let rows = try RowCounts.all(in: transaction)
            try PostgresTools.dump(url, snapshot: snapshot, to: file)
            return rows
        }
    }
}

/// How many rows each table has.
enum RowCounts {
    static func all(_ database: any SQLDatabase) async throws -> [String: Int64] {
        try await database.read(of: .owner) { try all(in: $0) }
    }

    static func all(in transaction: any Transaction) throws -> [String: Int64] {
        let names =
            switch transaction.dialect {
            case .sqlite:
                """
                SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
                AND sql NOT LIKE 'CREATE VIRTUAL%'
                """
            case .postgres: "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
            }
        var counts: [String: Int64] = [:]
        for row in try transaction.rows(names) {
            let name = try row.text(0)
            // A name of the database's own, in quotes.
            let quoted = "\"" + name.replacing("\"", with: "\"\"") + "\""
            counts[name] = try transaction.firstRow("SELECT COUNT(*) FROM \(quoted)")?.integer(0)
        }
        return counts
    }
}
