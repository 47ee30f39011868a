import Access
import Database
import Domain
import Foundation
public import Logging

/// Makes a data directory of a backup.
///
/// Everything is read, held against its digest, counted and verified beside the data directory's place; then it takes that
/// place in one step. So a restore that is interrupted has changed nothing, and can be run again.
public struct Restore: Sendable {
    public struct Report: Sendable {
        public let createdTime: String
        public let files: Int
        public let rows: Int64
        public let auditEntries: Int64
    }

    private let configuration: AppConfiguration
    private let logger: Logger

    public init(_ configuration: AppConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    /// - Throws: `BackupError`, with the data directory as it was.
    public func run(from directory: String) async throws -> Report {
        let manifest = try BackupManifest(reading: directory)
        let data = configuration.dataDirectory
        guard BackupFiles.isFree(data) else {
            throw BackupError(
                code: .targetNotEmpty,
                message: "there is something in the data directory \(data) already",
                hint: "name one that is not there with --data; the master key is put into it afterwards"
            )
        }
        guard (SQLiteCopy.path(of: configuration.databaseURL) != nil) == (manifest.engine == .sqlite) else {
            throw BackupError(
                code: .notABackup,
                message:
                    "the backup is of \(manifest.engine.rawValue), and DATABASE_URL names another kind of database",
                hint: "give a DATABASE_URL of its kind"
            )
        }
        let partial = "\(data).restoring"
        try? FileManager.default.removeItem(atPath: partial)  // of a restore that was interrupted
        try BackupFiles.makeDirectory(partial)
        do {
            try copy(manifest, from: directory, to: partial)
            let entries =
                manifest.engine == .sqlite
                ? try await placeSQLite(manifest, partial) : try await placePostgres(manifest, directory, partial)
            if !FileManager.default.fileExists(atPath: URL(fileURLWithPath: data).deletingLastPathComponent().path) {
                try BackupFiles.makeDirectory(URL(fileURLWithPath: data).deletingLastPathComponent().path)
            }
            try BackupFiles.publish(partial, as: data)
            return Report(
                createdTime: manifest.createdTime,
                files: manifest.files.count,
                rows: manifest.rows.values.reduce(0, +),
                auditEntries: entries
            )
        } catch {
            // The first error is the one to tell.
            try? FileManager.default.removeItem(atPath: partial)
            throw error
        }
    }

    /// Every file, each held against its digest as it is read.
    private func copy(_ manifest: BackupManifest, from directory: String, to partial: String) throws {
        for file in manifest.files {
            if manifest.engine == .postgres, file.path == manifest.databasePath {
                let found = try BackupFiles.describe("\(directory)/\(file.path)", as: file.path)
                guard found == file else { throw BackupError.damaged("\(file.path) is not what was saved") }
                continue
            }
            let target = file.path == manifest.databasePath ? Self.databaseName : file.path
            let copied = try BackupFiles.copy("\(directory)/\(file.path)", to: "\(partial)/\(target)", as: file.path)
            guard let copied else { throw BackupError.damaged("\(file.path) is missing") }
            guard copied == file else { throw BackupError.damaged("\(file.path) is not what was saved") }
        }
    }

    private static let databaseName = "pyairtable.sqlite"

    private func placeSQLite(_ manifest: BackupManifest, _ partial: String) async throws -> Int64 {
        guard configuration.databaseURL == "sqlite:\(configuration.dataDirectory)/\(Self.databaseName)" else {
            throw BackupError(
                code: .targetNotEmpty,
                message: "a SQLite database is restored into its data directory only",
                hint: "leave DATABASE_URL out"
            )
        }
        let database = try await DatabaseOpener.open(url: "sqlite:\(partial)/\(Self.databaseName)")
        do {
            let entries = try await verify(database, manifest, partial)
            await database.close()
            return entries
        } catch {
            await database.close()
            throw error
        }
    }

    private func placePostgres(
        _ manifest: BackupManifest,
        _ directory: String,
        _ partial: String
    ) async throws -> Int64 {
        let database = try await DatabaseOpener.open(url: configuration.databaseURL)
        do {
            guard try await RowCounts.all(database).isEmpty else {
                throw BackupError(
                    code: .targetNotEmpty,
                    message: "there are tables in the database \(database.location) already",
                    hint: "make an empty one for the restore"
                )
            }
            try PostgresTools.restore("\(directory)/\(manifest.databasePath)", to: configuration.databaseURL)
            let entries = try await verify(database, manifest, partial)
            await database.close()
            return entries
        } catch {
            await database.close()
            throw error
        }
    }

    /// Row counts, the database's own check, and the audit log: by its hashes, and by its checkpoints' once the master key
    /// is there.
    private func verify(_ database: any SQLDatabase, _ manifest: BackupManifest, _ partial: String) async throws
        -> Int64
    {
        let rows = try await RowCounts.all(database)
        for (table, count) in manifest.rows.sorted(by: { $0.key < $1.key }) where rows[table] != count {
            let found = rows[table].map { "\($0)" } ?? "none"
            throw BackupError(
                code: .differs,
                message: "the restored table \(table) has \(found) of \(count) rows",
                hint: "nothing was put in place; use another backup"
            )
        }
        let damage = try await database.integrityCheck()
        if let first = damage.first { throw BackupError.damaged(first) }
        let verifier = AuditVerifier(withoutKeys: database, file: AuditCheckpointFile(directory: partial))
        let reports = try await verifier.verify()
        for report in reports {
            if let finding = report.finding {
                throw BackupError.damaged("the audit log \(report.chain): \(finding.message)")
            }
        }
        return reports.reduce(0) { $0 + $1.entries }
    }
}
