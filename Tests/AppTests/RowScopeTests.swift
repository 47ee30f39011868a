import Access
import Database
import Domain
import TestSupport
import Testing

@testable import App

@Suite("Row scope")
struct RowScopeTests {
    /// A table whose rows belong to tenants, by its column that says to whom.
    private struct Kept: Sendable {
        let table: String
        let column: String
    }

    @Test(
        "AUTHZ-10: in every table of tenants, one tenant's scope shows, changes, takes and removes no row of another's"
    )
    func everyTable() async throws {
        try await Self.withTwoTenants { database, mine, other in
            let all = try await Self.kept(database)
            #expect(all.count > 50)
            for kept in all {
                let (table, column) = (kept.table, kept.column)
                let before = try await Self.rows(of: other, kept, .everyTenant, database)
                #expect(!before.isEmpty, "\(table) holds nothing that could be seen")
                #expect(try await Self.rows(of: other, kept, .tenant(mine), database).isEmpty, "\(table) is read")
                let others = try await database.read(of: .tenant(mine)) { transaction in
                    try transaction.rows("SELECT \(column) FROM \(table)").filter { try $0.text(0) != mine.description }
                }
                #expect(others.isEmpty, "\(table) is read without a condition")
                for statement in [
                    "UPDATE \(table) SET \(column) = \(column) WHERE \(column) = $1",
                    "DELETE FROM \(table) WHERE \(column) = $1",
                ] {
                    let changed = try await database.write(of: .tenant(mine)) {
                        try $0.execute(statement, [.text(other.description)])
                    }
                    #expect(changed == 0, "\(statement)")
                }
                let names = try await TenantErasureTests.columns(of: table, database).map(\.name)
                let places = names.indices.map { "$\($0 + 1)" }.joined(separator: ", ")
                await #expect(throws: DatabaseError(.readOnly, ""), "a row is put into \(table)") {
                    try await database.write(of: .tenant(mine)) { transaction in
                        _ = try transaction.execute(
                            "INSERT INTO \(table) (\(names.joined(separator: ", "))) VALUES (\(places))",
                            before[0]
                        )
                    }
                }
                #expect(try await Self.rows(of: other, kept, .everyTenant, database) == before, "\(table) has changed")
            }
        }
    }

    @Test("AUTHZ-10: a tenant's own rows are all there, and none may be given to another")
    func ownRows() async throws {
        try await Self.withTwoTenants { database, mine, other in
            for kept in try await Self.kept(database) {
                let (table, column) = (kept.table, kept.column)
                let all = try await Self.rows(of: mine, kept, .everyTenant, database)
                #expect(try await Self.rows(of: mine, kept, .tenant(mine), database) == all, "\(table)")
                guard !all.isEmpty, table != "access_audit" else { continue }
                await #expect(throws: DatabaseError(.readOnly, ""), "a row of \(table) is given away") {
                    try await database.write(of: .tenant(mine)) { transaction in
                        _ = try transaction.execute(
                            "UPDATE \(table) SET \(column) = $2 WHERE \(column) = $1",
                            [.text(mine.description), .text(other.description)]
                        )
                    }
                }
            }
        }
    }

    @Test("AUTHZ-10: who names no scope sees no tenant's row, and neither does the server's own")
    func noScope() async throws {
        try await Self.withTwoTenants { database, _, _ in
            for kept in try await Self.kept(database) {
                for unset in ["SELECT set_config('pyairtable.scope', '', true)", "RESET pyairtable.scope"] {
                    let rows = try await database.write(of: .everyTenant) { transaction in
                        try transaction.rows(unset).count + transaction.rows("SELECT 1 FROM \(kept.table)").count
                    }
                    #expect(rows == (unset.hasPrefix("SELECT") ? 1 : 0), "\(kept.table) after \(unset)")
                }
                let rows = try await database.read(of: .server) {
                    try $0.rows("SELECT \(kept.column) FROM \(kept.table)").map { try $0.text(0) }
                }
                #expect(Set(rows).isSubset(of: ["server"]), "\(kept.table)")
            }
        }
    }

    @Test("AUTHZ-10: transactions act as a role that owns nothing, and can't lift what holds them")
    func role() async throws {
        try await Self.withTwoTenants { database, mine, other in
            #expect(try await RowSecurity.gaps(database).isEmpty)
            let query = """
                SELECT current_user::text, CASE WHEN r.rolsuper OR r.rolbypassrls OR r.rolcanlogin THEN 1 ELSE 0 END::bigint,
                    (SELECT COUNT(*) FROM pg_class c WHERE c.relowner = r.oid) FROM pg_roles r WHERE r.rolname = current_user
                """
            let row = try #require(try await database.read(of: .tenant(mine)) { try $0.firstRow(query) })
            #expect(try row.text(0).hasPrefix("pyairtable_rows_"))
            #expect(try row.integer(1) == 0)
            #expect(try row.integer(2) == 0)
            for statement in [
                "ALTER TABLE records DISABLE ROW LEVEL SECURITY", "DROP POLICY pyairtable_scope ON records",
                "TRUNCATE comments", "CREATE TABLE elsewhere (id BIGINT)", "DROP TABLE comments",
                "UPDATE schema_migrations SET position = position", "SELECT * FROM pg_authid",
            ] {
                await #expect(throws: DatabaseError(.readOnly, ""), "\(statement)") {
                    try await database.write(of: .tenant(mine)) { _ = try $0.execute(statement) }
                }
            }
            let owner = try await database.read(of: .owner) { try $0.firstRow("SELECT current_user::text")?.text(0) }
            #expect(owner == "postgres")
            let count = try await database.read(of: .tenant(other)) { try $0.rows("SELECT id FROM records").count }
            #expect(count > 0)
        }
    }

    // MARK: What is looked at

    private static func withTwoTenants(
        _ body: (any SQLDatabase, TenantID, TenantID) async throws -> Void
    ) async throws {
        try await TenantErasureTests.withServices(.postgres) { services in
            let (access, database) = (services.access, services.database)
            let operating = try await services.ownerContext(.commandLine, timeout: .seconds(60))
            let mine = try await access.createTenant(name: "mine", ownerName: "mine", context: operating).tenant.id
            // The data directory's own, to which also the row about its first start belongs.
            let other = services.first.tenant
            try await TenantErasureTests.fill(database, mine, "mine", number: 101)
            try await TenantErasureTests.fill(database, other, "other", number: 202)
            for chain in [mine.description, other.description, "server"] {
                try await database.write(of: .everyTenant) { transaction in
                    _ = try transaction.execute(
                        """
                        INSERT INTO access_audit_checkpoints (chain, sequence, body, signature)
                        VALUES ($1, 1000000, '', $2)
                        """,
                        [.text(chain), .bytes([0])]
                    )
                }
            }
            try await body(database, mine, other)
        } closed: { _ in
        }
    }

    /// What the catalogue says, not what the program believes.
    private static func kept(_ database: any SQLDatabase) async throws -> [Kept] {
        try await database.read(of: .owner) { transaction in
            try transaction.rows(
                """
                SELECT table_name::text, column_name::text FROM information_schema.columns
                WHERE table_schema = current_schema()
                    AND (column_name IN ('tenant', 'chain') OR (table_name = 'access_tenants' AND column_name = 'id'))
                ORDER BY 1
                """
            ).map { Kept(table: try $0.text(0), column: try $0.text(1)) }
        }
    }

    private static func rows(
        of tenant: TenantID,
        _ kept: Kept,
        _ scope: RowScope,
        _ database: any SQLDatabase
    ) async throws -> [[SQLValue]] {
        let names = try await TenantErasureTests.columns(of: kept.table, database).map(\.name).joined(separator: ", ")
        return try await database.read(of: scope) { transaction in
            try transaction.rows(
                "SELECT \(names) FROM \(kept.table) WHERE \(kept.column) = $1 ORDER BY \(names)",
                [.text(tenant.description)]
            ).map { Array($0.values) }
        }
    }
}
