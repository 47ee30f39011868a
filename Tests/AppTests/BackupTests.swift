import Access
import Airtable
import Database
import Domain
import Foundation
import Logging
import TestSupport
import Testing

@testable import App

@Suite("Backup and restore")
struct BackupTests {
    private static let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    private static func configuration(_ data: String, _ database: String? = nil) throws -> AppConfiguration {
        var flags: [Setting: String] = [.data: data, .embedder: "hash"]
        flags[.databaseURL] = database
        return try AppConfiguration.load(flags: flags, environment: [:])
    }

    /// Runs `body` with services over a data directory, closed afterwards.
    private static func withServices<T>(
        _ configuration: AppConfiguration,
        _ body: (Services, RequestContext) async throws -> T
    ) async throws -> T {
        let services = try await Services.open(configuration, logger: logger)
        do {
            let result = try await body(services, try await services.ownerContext(.commandLine, timeout: .seconds(300)))
            await services.close()
            return result
        } catch {
            await services.close()
            throw error
        }
    }

    private static func makeBase(_ services: Services, _ context: RequestContext) async throws -> TableID {
        let made = try await services.airtable.createBase(
            name: "Log",
            tables: [
                TableDraft(
                    name: "Lines",
                    fields: [
                        FieldDraft(name: "Name", type: .singleLineText),
                        FieldDraft(name: "File", type: .multipleAttachments),
                    ]
                )
            ],
            context: context
        )
        return try #require(made.tables.first).id
    }

    private static func names(_ services: Services, _ table: TableID, _ context: RequestContext) async throws -> [Int] {
        var query = RecordQuery()
        query.fields = ["Name"]
        var found: [Int] = []
        var offset: String?
        repeat {
            query.offset = offset
            let page = try await services.airtable.list(query, in: table, context: context)
            found += page.records.compactMap { record -> Int? in
                record.cells.values.compactMap { if case .text(let text) = $0 { Int(text) } else { nil } }.first
            }
            offset = page.offset
        } while offset != nil
        return found.sorted()
    }

    @Test(
        "DATA-02: what was acknowledged before a backup is in it, whole, though others write on",
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/pg_dump")),
        arguments: DatabaseKind.allCases
    )
    func underLoad(_ kind: DatabaseKind) async throws {
        try await withDatabaseURL(kind) { url in
            try await withDatabaseURL(kind) { emptyURL in
                try await withTemporaryDirectory { directory in
                    let source = try Self.configuration(directory.path + "/data", kind == .postgres ? url : nil)
                    let target = try Self.configuration(directory.path + "/new", kind == .postgres ? emptyURL : nil)
                    let backup = directory.path + "/backup"
                    let acknowledged = Guarded(0)
                    let table = try await Self.withServices(source) { services, context in
                        let table = try await Self.makeBase(services, context)
                        try await withThrowingTaskGroup(of: Void.self) { group in
                            // One writer, so that what is in the copy must be the first so many.
                            group.addTask {
                                for number in 1... {
                                    try Task.checkCancellation()
                                    _ = try await services.airtable.create(
                                        [RecordDraft(fields: ["Name": .string("\(number)")])],
                                        in: table,
                                        context: context
                                    )
                                    acknowledged.value = number
                                }
                            }
                            try await eventually("some records") { acknowledged.value >= 50 }
                            let before = acknowledged.value
                            let report = try await Backup(services).run(to: backup, context: context)
                            #expect(report.rows > Int64(before))
                            acknowledged.value = before
                            group.cancelAll()
                            // Its last write may have been cancelled.
                            while (try? await group.next()) != nil {}
                        }
                        return table
                    }
                    let atLeast = 50
                    let report = try await Restore(target, logger: Self.logger).run(from: backup)
                    #expect(report.auditEntries >= 2)
                    try await Self.withServices(target) { services, context in
                        let names = try await Self.names(services, table, context)
                        #expect(names.count >= atLeast)
                        #expect(names == Array(1...names.count), "a hole, or a row too many")
                        #expect(try await services.airtable.verify(context: context).isSound)
                        #expect(try await services.database.integrityCheck().isEmpty)
                        // It can be written to: numbers go on where they were.
                        _ = try await services.airtable.create(
                            [RecordDraft(fields: ["Name": "0"])],
                            in: table,
                            context: context
                        )
                    }
                }
            }
        }
    }

    @Test(
        "DATA-02: a restored directory equals its source: records, files, keys, audit log; and has no secret in the clear"
    )
    func equal() async throws {
        try await withTemporaryDirectory { directory in
            let source = try Self.configuration(directory.path + "/data")
            let target = try Self.configuration(directory.path + "/new")
            let backup = directory.path + "/backup"
            let (key, table) = try await Self.withServices(source) { services, context in
                let table = try await Self.makeBase(services, context)
                _ = try await services.airtable.create(
                    (1...300).map { RecordDraft(fields: ["Name": .string("\($0)")]) },
                    in: table,
                    context: context
                )
                let purpose = try #require(CredentialPurpose(rawValue: "gemini.key"))
                try await services.vault().store(Secret("zqsecretzq"), for: purpose, context: context)
                let files = directory.path + "/data/attachments/\(context.tenant)/ab"
                try FileManager.default.createDirectory(atPath: files, withIntermediateDirectories: true)
                try Data("file".utf8).write(to: URL(fileURLWithPath: files + "/abcd"))
                let issued = try await services.access.createKey(
                    APIKeyDraft(name: "k", scopes: [.search]),
                    context: context
                )
                try await services.auditKeeper().keep()
                _ = try await Backup(services).run(to: backup, context: context)
                return (issued.text, table)
            }
            let entries = FileManager.default.enumerator(atPath: backup)?.compactMap { $0 as? String } ?? []
            #expect(!entries.contains { $0.contains("master") || $0.contains("config.json") || $0.contains("keys") })
            for path in entries {
                let bytes = FileManager.default.contents(atPath: backup + "/" + path) ?? Data()
                #expect(bytes.range(of: Data("zqsecretzq".utf8)) == nil, "\(path)")
                #expect(bytes.range(of: Data(key.suffix(24).utf8)) == nil, "\(path)")
            }
            _ = try await Restore(target, logger: Self.logger).run(from: backup)
            try FileManager.default.copyItem(
                atPath: directory.path + "/data/keys",
                toPath: directory.path + "/new/keys"
            )
            let file = "attachments/"
            for path in BackupFiles.files(below: directory.path + "/data/attachments") {
                #expect(
                    FileManager.default.contentsEqual(
                        atPath: directory.path + "/data/" + file + path,
                        andPath: directory.path + "/new/" + file + path
                    )
                )
            }
            let (before, after) = (try await Self.state(source, table), try await Self.state(target, table))
            #expect(before == after)
            try await Self.withServices(target) { services, context in
                let reports = try await services.auditVerifier().verify()
                #expect(reports.allSatisfy { $0.finding == nil } && reports.contains { $0.checkpoints > 0 })
                let caller = try await services.access.authenticate(
                    bearer: key,
                    timeout: .seconds(60),
                    requestID: "request-1",
                    logger: Self.logger
                )
                #expect(caller.tenant == context.tenant)
                let purpose = try #require(CredentialPurpose(rawValue: "gemini.key"))
                #expect(try await services.vault().read(purpose, context: context)?.revealed == "zqsecretzq")
            }
        }
    }

    /// Every row of every table but what each opening writes.
    private static func state(_ configuration: AppConfiguration, _ table: TableID) async throws -> [String: [String]] {
        try await withServices(configuration) { services, _ in
            try await services.database.read(of: .everyTenant) { transaction in
                var state: [String: [String]] = [:]
                for name in try RowCounts.all(in: transaction).keys {
                    state[name] = try transaction.rows("SELECT * FROM \"\(name)\"").map { "\($0.values)" }.sorted()
                }
                return state
            }
        }
    }

    @Test("DATA-02: a changed, missing or foreign file, or an unfinished backup, is refused and changes nothing")
    func damaged() async throws {
        try await withTemporaryDirectory { directory in
            let source = try Self.configuration(directory.path + "/data")
            let backup = directory.path + "/backup"
            try await Self.withServices(source) { services, context in
                _ = try await Self.makeBase(services, context)
                _ = try await Backup(services).run(to: backup, context: context)
                await #expect(throws: BackupError(code: .targetNotEmpty, message: "", hint: nil)) {
                    _ = try await Backup(services).run(to: backup, context: context)
                }
            }
            let new = directory.path + "/new"
            func expect(_ code: BackupError.Code, _ change: (String) throws -> Void) async throws {
                let copy = directory.path + "/copy"
                try FileManager.default.copyItem(atPath: backup, toPath: copy)
                try change(copy)
                await #expect(throws: BackupError(code: code, message: "", hint: nil)) {
                    _ = try await Restore(Self.configuration(new), logger: Self.logger).run(from: copy)
                }
                #expect(!FileManager.default.fileExists(atPath: new))
                #expect(!FileManager.default.fileExists(atPath: new + ".restoring"))
                try FileManager.default.removeItem(atPath: copy)
            }
            func edit(_ path: String, _ change: (String) -> String) throws {
                let text = try String(contentsOfFile: path, encoding: .utf8)
                try change(text).write(toFile: path, atomically: true, encoding: .utf8)
            }
            try await expect(.notABackup) { try FileManager.default.removeItem(atPath: $0 + "/manifest.json") }
            try await expect(.damaged) { try FileManager.default.removeItem(atPath: $0 + "/database.sqlite") }
            try await expect(.damaged) { copy in
                let path = copy + "/database.sqlite"
                var bytes = try #require(FileManager.default.contents(atPath: path))
                bytes[bytes.count / 2] ^= 1
                try bytes.write(to: URL(fileURLWithPath: path))
            }
            try await expect(.notABackup) { copy in
                try edit(copy + "/manifest.json") { $0.replacing("database.sqlite", with: "../database.sqlite") }
            }
            try await expect(.differs) { copy in
                try edit(copy + "/manifest.json") {
                    $0.replacing(#""access_tenants": 1"#, with: #""access_tenants": 2"#)
                }
            }
            // A directory that holds something is not written over.
            try FileManager.default.createDirectory(atPath: new, withIntermediateDirectories: true)
            try Data().write(to: URL(fileURLWithPath: new + "/mine"))
            await #expect(throws: BackupError(code: .targetNotEmpty, message: "", hint: nil)) {
                _ = try await Restore(Self.configuration(new), logger: Self.logger).run(from: backup)
            }
        }
    }

    @Test("DATA-02: a backup that is killed in the middle leaves no backup, and the next one is whole")
    func killed() async throws {
        try await withTemporaryDirectory { directory in
            let data = directory.path + "/data"
            let options = ["--data", data, "--embedder", "hash"]
            try await Self.withServices(try Self.configuration(data)) { services, context in
                let table = try await Self.makeBase(services, context)
                for _ in 0..<20 {
                    _ = try await services.airtable.create(
                        (1...500).map { RecordDraft(fields: ["Name": .string("\($0)")]) },
                        in: table,
                        context: context
                    )
                }
                let files = data + "/attachments/\(context.tenant)/ab"
                try FileManager.default.createDirectory(atPath: files, withIntermediateDirectories: true)
                for number in 0..<200 {
                    try Data(repeating: 7, count: 100_000).write(to: URL(fileURLWithPath: "\(files)/\(number)"))
                }
            }
            let backup = directory.path + "/backup"
            let running = try Binary.Running(["backup", backup] + options)
            try await eventually("the backup has begun") {
                let names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
                return names.contains { $0.hasPrefix("backup") }
            }
            running.kill()
            _ = await running.result()
            let refused = try await Binary.run(["restore", backup, "--data", directory.path + "/new"])
            // It may have been quicker than we; then it is whole.
            #expect(refused.status == (FileManager.default.fileExists(atPath: backup) ? 0 : 3), "\(refused.errors)")
            let again = try await Binary.run(["backup", directory.path + "/second"] + options)
            #expect(again.status == 0, "\(again.errors)")
            #expect(again.errors.contains("The master key is not in it"))
            let restored = try await Binary.run(
                ["restore", directory.path + "/second", "--data", directory.path + "/other", "--json"]
            )
            #expect(restored.status == 0, "\(restored.errors)")
            #expect((try restored.json().first?["files"]?.intValue ?? 0) >= 201)
        }
    }

    @Test(
        "DATA-02: an owner whom row security holds saves and restores every tenant's rows",
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/pg_dump"))
    )
    func heldOwner() async throws {
        try await withPostgresUser("NOCREATEROLE") { url in
            try await withPostgresUser("NOCREATEROLE") { emptyURL in
                try await withTemporaryDirectory { directory in
                    let source = try Self.configuration(directory.path + "/data", url)
                    let target = try Self.configuration(directory.path + "/new", emptyURL)
                    let rows = try await Self.withServices(source) { services, context in
                        let other = try await services.access.createTenant(name: "b", ownerName: "b", context: context)
                        let bare = try await services.database.read(of: .server) {
                            try $0.rows("SELECT id FROM access_keys")
                        }
                        #expect(bare.isEmpty && !other.key.text.isEmpty)
                        return try await Backup(services).run(to: directory.path + "/backup", context: context).rows
                    }
                    _ = try await Restore(target, logger: Self.logger).run(from: directory.path + "/backup")
                    try await Self.withServices(target) { services, _ in
                        let restored = try await RowCounts.all(services.database).values.reduce(0, +)
                        #expect(restored >= rows && rows > 0)
                        let gaps = try await RowSecurity.gaps(services.database)
                        #expect(gaps.isEmpty)
                    }
                }
            }
        }
    }

    @Test("a password of PostgreSQL is in no list of processes")
    func passwords() {
        for (url, address, password) in [
            ("postgres://u:p%40w@h:5/d?sslmode=require", "postgres://u@h:5/d?sslmode=require", "p@w"),
            ("postgres://u@h/d?password=x&sslmode=require", "postgres://u@h/d?sslmode=require", "x"),
            ("postgres://u@h/d", "postgres://u@h/d", nil),
        ] as [(String, String, String?)] {
            let parts = PostgresTools.withoutPassword(url)
            #expect(parts.url == address)
            #expect(parts.password == password)
        }
    }
}
