import App
import ArgumentParser
import Domain
import Foundation
import Logging

/// `backup DIR`: everything that cannot be made again, as one snapshot.
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copy the data directory while it is in use.",
        discussion: """
            Makes DIR with the database, the files of attachments and the audit log's checkpoints, each with its digest. \
            Servers may go on. Not in it: the search index, which is made anew; the master key and config.json, which you \
            keep apart. PostgreSQL is saved by pg_dump.
            """
    )

    @OptionGroup var shared: SharedOptions

    @Argument(help: "The directory to make.", completion: .directory)
    var directory: String

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        let target = URL(fileURLWithPath: directory).standardizedFileURL.path
        try await withServices(shared, makesData: false, isQuiet: true) { services, context in
            let report = try await Backup(services).run(to: target, context: context)
            if json {
                Console.writeLine([
                    "directory": .string(report.directory), "files": .number(JSONNumber(report.files)),
                    "bytes": .number(JSONNumber(Int(report.bytes))), "rows": .number(JSONNumber(Int(report.rows))),
                ])
            } else {
                Console.write(
                    "\(report.directory): \(report.rows) rows, \(report.files) files, \(report.bytes) bytes\n"
                )
                Console.writeError(
                    "The master key is not in it: keep \(services.configuration.masterKeyFile) somewhere else.\n"
                )
            }
        }
    }
}

/// `restore DIR`: a new data directory out of a backup.
struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Make a data directory of a backup.",
        discussion: """
            Into a data directory that is not there or is empty, and into an empty database where that is PostgreSQL. \
            Every file is held against its digest, every table's rows are counted and the audit log is verified before \
            anything is put in place. Then put the master key into it, and start.
            """
    )

    @OptionGroup var shared: SharedOptions

    @Argument(help: "The directory that `backup` made.", completion: .directory)
    var directory: String

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        var configuration = try shared.configuration()
        if configuration.sources[.logLevel] == .default { configuration.logLevel = .warning }
        let source = URL(fileURLWithPath: directory).standardizedFileURL.path
        let report = try await Restore(configuration, logger: .standardError(configuration)).run(from: source)
        if json {
            Console.writeLine([
                "createdTime": .string(report.createdTime), "files": .number(JSONNumber(report.files)),
                "rows": .number(JSONNumber(Int(report.rows))),
                "auditEntries": .number(JSONNumber(Int(report.auditEntries))),
            ])
        } else {
            Console.write(
                """
                \(configuration.dataDirectory): as it was at \(report.createdTime), \(report.rows) rows, \
                \(report.files) files, \(report.auditEntries) entries of the audit log

                """
            )
            Console.writeError(
                "Put the master key to \(configuration.masterKeyFile) (mode 600) before you start; the index is made anew.\n"
            )
        }
    }
}
