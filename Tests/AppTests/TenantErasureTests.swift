import Access
import Airtable
import Database
import Domain
import Embeddings
import Foundation
import Logging
import Search
import TestSupport
import Testing

@testable import App

@Suite("Erasing a tenant")
struct TenantErasureTests {
    /// What holds nothing of a tenant, and the audit log, which keeps identifiers and nothing else.
    private static let tenantless: Set<String> = [
        "schema_migrations", "access_bootstrap", "search_counters", "chat_processes", "table_numbers",
        "access_signing_keys",
        // People's, who may belong to other tenants; those who belong to none any more are swept.
        "access_accounts", "access_account_tokens", "access_registrations", "access_mails", "access_attempts",
        "access_known_clients",
    ]
    private static let audit: Set<String> = ["access_audit", "access_audit_heads", "access_audit_checkpoints"]

    @Test(
        "DATA-01: every table is a tenant's, the audit log's, or known to hold nothing of one",
        arguments: DatabaseKind.allCases
    )
    func complete(_ kind: DatabaseKind) async throws {
        try await Self.withServices(kind) { services in
            let known = Set(Services.tenantRows.map(\.table)).union(Self.tenantless).union(Self.audit)
            let tables = try await Self.tables(services.database)
            #expect(
                Set(tables).subtracting(known) == ["access_tenants"],
                "a store does not say what it holds of a tenant"
            )
            #expect(known.subtracting(tables).isEmpty)
        }
    }

    @Test(
        "DATA-01: of no table a row is left, nor a file, and another tenant keeps all",
        arguments: DatabaseKind.allCases
    )
    func everyTable(_ kind: DatabaseKind) async throws {
        try await Self.withServices(kind) { services in
            let operating = try await services.ownerContext(.commandLine, timeout: .seconds(60))
            let (access, database) = (services.access, services.database)
            let victim = try await access.createTenant(
                name: "marked-gone",
                ownerName: "marked-gone",
                context: operating
            )
            let other = try await access.createTenant(name: "marked-kept", ownerName: "marked-kept", context: operating)
            try await Self.fill(database, victim.tenant.id, "marked-gone", number: 101)
            try await Self.fill(database, other.tenant.id, "marked-kept", number: 202)
            let files = try [victim.tenant.id: "marked-gone", other.tenant.id: "marked-kept"].flatMap { tenant, word in
                try ["attachments/\(tenant)/ab/abcdef", "index/\(tenant)/appA/model/vectors"].map { path in
                    let url = URL(fileURLWithPath: services.configuration.dataDirectory).appendingPathComponent(path)
                    let folder = url.deletingLastPathComponent()
                    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                    try Data(word.utf8).write(to: url)
                    return url
                }
            }
            let traces = [victim.tenant.id.description, victim.tenant.tenant.owner.description, "marked-gone"]
            let before = try await Self.dump(database)
            for table in Set(Services.tenantRows.map(\.table)) {
                #expect(before[table]?.count ?? 0 >= 2, "\(table) was not filled")
            }

            try await access.eraseTenant(victim.tenant.id, context: operating)
            let eraser = TenantEraser(services, grace: .seconds(3_600))
            // One that was interrupted leaves a tenant that the next goes on with.
            let interrupted = Task { try await eraser.round() }
            interrupted.cancel()
            _ = try? await interrupted.value
            #expect(try await eraser.round() == [])
            // Within the grace the row says that it is being erased; what comes late is found.
            #expect(try await access.erasingTenants().map(\.id) == [victim.tenant.id])
            try await Self.fill(database, victim.tenant.id, "marked-gone", number: 303)
            #expect(try await TenantEraser(services, grace: .zero).round() == [victim.tenant.id])
            #expect(try await TenantEraser(services, grace: .zero).round() == [])
            #expect(try await access.erasingTenants().isEmpty)

            let after = try await Self.dump(database)
            for (table, rows) in after where !Self.audit.contains(table) {
                for trace in traces { #expect(!rows.contains { $0.contains(trace) }, "\(trace) is left in \(table)") }
                let kept = before[table]?.filter { row in !traces.contains { row.contains($0) } } ?? []
                if Services.tenantRows.contains(where: { $0.table == table }) {
                    #expect(
                        rows.sorted() == kept.filter { !$0.contains("|101|") && !$0.contains("|303|") }.sorted(),
                        "\(table)"
                    )
                }
            }
            #expect(after["access_audit"]?.contains { $0.contains("tenant.deleted") } == true)
            #expect(after["access_audit"]?.contains { $0.contains("marked-gone") } == false)
            #expect(files.map { FileManager.default.fileExists(atPath: $0.path) }.filter { $0 }.count == 2)
            #expect(try await access.tenants(context: operating).map(\.id).contains(other.tenant.id))
        } closed: { directory in
            // Not a byte of it in any file, free pages of the database included.
            for file in try Self.files(directory)
            where try Data(contentsOf: file).range(of: Data("marked-gone".utf8)) != nil {
                Issue.record("\(file.lastPathComponent) still holds marked words")
            }
        }
    }

    @Test("DATA-01: a tenant that comes while the server runs is indexed, and goes with its vectors and files")
    func searched() async throws {
        try await Self.withServices(.sqlite) { services in
            let search = try await services.openSearch()
            let operating = try await services.ownerContext(.commandLine, timeout: .seconds(120))
            let indexing = Task { try await search.indexer.run() }
            defer { indexing.cancel() }
            func base(_ context: RequestContext, _ word: String) async throws {
                let made = try await services.airtable.createBase(
                    name: word,
                    tables: [TableDraft(name: "Things", fields: [FieldDraft(name: "Name", type: .singleLineText)])],
                    context: context
                )
                let draft = RecordDraft(fields: ["Name": .string("something \(word)")])
                _ = try await services.airtable.create([draft], in: made.tables[0].id, context: context)
            }
            func found(_ word: String, _ context: RequestContext) async throws -> Int {
                try await search.search.search(SearchRequest(query: word), context: context).hits.count
            }
            try await base(operating, "marked-kept")
            try await eventually("the first tenant is indexed") { try await found("marked-kept", operating) == 1 }

            let made = try await services.access.createTenant(name: "second", ownerName: "o", context: operating)
            let theirs = try await services.access.authenticate(
                bearer: made.key.text,
                timeout: .seconds(120),
                requestID: "r",
                logger: services.logger
            )
            try await base(theirs, "marked-gone")
            try await eventually("the second tenant is indexed") { try await found("marked-gone", theirs) == 1 }
            let folder = services.configuration.indexDirectory + "/\(made.tenant.id)"
            #expect(FileManager.default.fileExists(atPath: folder))

            try await services.access.eraseTenant(made.tenant.id, context: operating)
            let eraser = TenantEraser(services, grace: .zero) { try search.models.removeIndexes(of: $0) }
            // The indexer may have been at work on it; what it wrote is found by another round.
            try await eventually("nothing is left") {
                try await eraser.round()
                return try await services.access.erasingTenants().isEmpty
                    && !FileManager.default.fileExists(atPath: folder)
            }
            #expect(try await found("marked-kept", operating) == 1)
            #expect(try await services.airtable.verify(context: operating).isSound)
            indexing.cancel()
            _ = try? await indexing.value
            #expect(!FileManager.default.fileExists(atPath: folder))
            let rows = try await Self.dump(services.database)
            for (table, rows) in rows where !Self.audit.contains(table) {
                #expect(!rows.contains { $0.contains(made.tenant.id.description) }, "\(table)")
                #expect(!rows.contains { $0.contains("marked-gone") }, "\(table)")
            }
            search.pool.close()
        }
    }

    // MARK: Filling and looking

    static func withServices(
        _ kind: DatabaseKind,
        _ body: (Services) async throws -> Void,
        closed: (URL) throws -> Void = { _ in }
    ) async throws {
        try await withTemporaryDirectory { directory in
            try await withDatabaseURL(kind) { url in
                var flags: [Setting: String] = [.data: directory.path, .embedder: "hash", .threads: "1"]
                if kind == .postgres { flags[.databaseURL] = url }
                let configuration = try AppConfiguration.load(flags: flags, environment: [:])
                let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
                let services = try await Services.open(configuration, logger: logger)
                do {
                    try await body(services)
                } catch {
                    await services.close()
                    throw error
                }
                await services.close()
                try closed(directory)
            }
        }
    }

    /// One row at least of the tenant in every table, with marked words wherever there is text.
    static func fill(_ database: any SQLDatabase, _ tenant: TenantID, _ word: String, number: Int64)
        async throws
    {
        var seen: Set<String> = []
        for table in Services.tenantRows.reversed().map(\.table) where seen.insert(table).inserted {
            let columns = try await columns(of: table, database)
            let names = columns.map(\.name).joined(separator: ", ")
            let places = (1...columns.count).map { "$\($0)" }.joined(separator: ", ")
            let values = columns.map { value(table, $0.name, $0.type, tenant, word, number) }
            try await database.write(of: .everyTenant) { transaction in
                _ = try transaction.execute(
                    "INSERT INTO \(table) (\(names)) VALUES (\(places)) ON CONFLICT DO NOTHING",
                    values
                )
            }
        }
    }

    private static func value(
        _ table: String,
        _ column: String,
        _ type: String,
        _ tenant: TenantID,
        _ word: String,
        _ number: Int64
    ) -> SQLValue {
        switch (table, column) {
        case (_, "tenant"): return .text(tenant.description)
        case ("search_units", "key"): return .integer(number << 32 | 5)
        case ("cell_keys", "field"): return .integer(number << 20 + number)
        case ("search_removals", "partition"): return .integer(number + 1)
        // Rows of a key belong to a user, and these references are checked.
        case ("access_keys", "owner"), ("access_credentials", "purpose"): return .text("\(word) \(number)")
        default: break
        }
        switch type.lowercased() {
        case "integer", "bigint": return .integer(number)
        case "blob", "bytea": return .bytes(Array("\(word) \(number)".utf8))
        case "real", "double precision": return .real(Double(number))
        default: return .text("\(word) \(number)")
        }
    }

    private static func tables(_ database: any SQLDatabase) async throws -> [String] {
        try await database.read(of: .everyTenant) { transaction in
            let sql =
                transaction.dialect == .sqlite
                ? "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
                : "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() ORDER BY 1"
            return try transaction.rows(sql).map { try $0.text(0) }
        }
    }

    static func columns(of table: String, _ database: any SQLDatabase) async throws -> [(
        name: String, type: String
    )] {
        try await database.read(of: .everyTenant) { transaction in
            let sql =
                transaction.dialect == .sqlite
                ? "SELECT name, type FROM pragma_table_info($1)"
                : """
                SELECT column_name, data_type FROM information_schema.columns
                WHERE table_schema = current_schema() AND table_name = $1
                """
            return try transaction.rows(sql, [.text(table)]).map { (try $0.text(0), try $0.text(1)) }
        }
    }

    /// Every row of every table, as text, its values between bars.
    private static func dump(_ database: any SQLDatabase) async throws -> [String: [String]] {
        var all: [String: [String]] = [:]
        for table in try await tables(database) {
            all[table] = try await database.read(of: .everyTenant) { transaction in
                try transaction.rows("SELECT * FROM \(table)").map { row in
                    "|" + row.values.map(text).joined(separator: "|") + "|"
                }
            }
        }
        return all
    }

    private static func text(_ value: SQLValue) -> String {
        switch value {
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        case .text(let text): text
        case .integer(let number): "\(number)"
        case .real(let number): "\(number)"
        case .null: ""
        }
    }

    private static func files(_ directory: URL) throws -> [URL] {
        let all = FileManager.default.enumerator(at: directory, includingPropertiesForKeys: [.isRegularFileKey])
        return try (all?.compactMap { $0 as? URL } ?? []).filter {
            try $0.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true
        }
    }
}
