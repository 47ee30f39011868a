/// PostgreSQL's row security: the tenant's scope as the database keeps it, beneath every query.
///
/// Each of our tables with a column `tenant` (or `chain`, the audit log's word for it), and each that such a column refers
/// to, has a policy that shows and takes the rows of the transaction's `RowScope` alone; a transaction that has named none
/// sees no row. The policies hold for the tables' owner too. Superusers and users with BYPASSRLS are above them, so that
/// transactions act as an unprivileged role, which owns nothing and may only read and write rows. The role belongs to this
/// database: another one in the same cluster has its own.
///
/// Found out from the catalogue after the migrations, so that no later table is forgotten.
public enum RowSecurity {
    /// Puts in place what is missing. Nothing to do on SQLite.
    ///
    /// Where the role can't be made, what is missing stays so, and `gaps` says it when that matters.
    static func secure(_ database: any SQLDatabase) async throws {
        guard database.dialect == .postgres else { return }
        let isMissing = try await database.read(of: .owner) { try $0.firstRow(missing)?.bool(0) ?? false }
        guard isMissing else { return }
        try await database.write(of: .owner) { transaction in
            try transaction.lock(Migrator.lockName)
            try transaction.execute(securingTables)
            guard try transaction.firstRow(wantsRole)?.bool(0) ?? false else { return }
            guard try makeRole(transaction) else { return }
            try transaction.execute(granting)
        }
    }

    /// The tables of tenants whose rows PostgreSQL doesn't keep apart for us, because the URL's user is above row security
    /// and the role is missing, or because the tables belong to somebody else who hasn't migrated them.
    public static func gaps(_ database: any SQLDatabase) async throws -> [String] {
        guard database.dialect == .postgres else { return [] }
        return try await database.read(of: .server) { try $0.rows(open).map { try $0.text(0) } }
    }

    /// What libpq's parameter `options` says so that PostgreSQL's own programs see the rows of all tenants.
    public static let everyTenantOption = "-c \(setting)=\(RowScope.everySetting)"

    /// The parameter in which a transaction's scope stands.
    static let setting = "pyairtable.scope"

    /// - Returns: whether we may act as the role.
    private static func makeRole(_ transaction: any Transaction) throws -> Bool {
        for statement in [creatingRole, joiningRole] {
            guard try transaction.firstRow(canUse)?.bool(0) != true else { break }
            // Not allowed, or somebody else was faster: the last look tells.
            do { try transaction.savepoint { _ = try transaction.execute(statement) } } catch is DatabaseError {}
        }
        return try transaction.firstRow(canUse)?.bool(0) ?? false
    }
}

// MARK: The catalogue

extension RowSecurity {
    /// What the step works on. `ours`: the tables of whoever migrates. `kept`: those of tenants, with the column that
    /// says whose a row is.
    private static let catalogue = """
        WITH place AS (
            SELECT m.relnamespace AS schema, m.relowner AS owner,
                (SELECT 'pyairtable_rows_' || d.oid FROM pg_database d WHERE d.datname = current_database()) AS actor
            FROM pg_class m WHERE m.oid = to_regclass('schema_migrations')
        ), ours AS (
            SELECT c.oid, c.oid::regclass::text AS name,
                c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (
                    SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'pyairtable_scope'
                ) AS secured
            FROM pg_class c JOIN place ON c.relnamespace = place.schema AND c.relowner = place.owner
            WHERE c.relkind IN ('r', 'p') AND c.oid <> to_regclass('schema_migrations')
        ), kept AS (
            SELECT o.oid, o.name, o.secured, a.attname AS key
            FROM ours o JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum > 0 AND NOT a.attisdropped
            WHERE a.attname IN ('tenant', 'chain')
            UNION
            SELECT o.oid, o.name, o.secured, a.attname
            FROM pg_constraint k
            JOIN pg_attribute f ON f.attrelid = k.conrelid AND f.attnum = k.conkey[1] AND f.attname = 'tenant'
            JOIN ours o ON o.oid = k.confrelid
            JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum = k.confkey[1]
            WHERE k.contype = 'f' AND cardinality(k.conkey) = 1
        ), role AS (
            SELECT r.oid, r.rolname FROM pg_roles r JOIN place ON r.rolname = place.actor
            WHERE pg_has_role(
                r.oid, CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'MEMBER' ELSE 'SET' END
            )
        )
        """

    /// Whether there is something to put in place that this user may.
    private static let missing = """
        \(catalogue)
        SELECT CASE WHEN EXISTS (SELECT 1 FROM kept) AND pg_has_role((SELECT owner FROM place), 'USAGE') AND (
            EXISTS (SELECT 1 FROM kept WHERE NOT secured)
            OR \(roleIsWanted)
        ) THEN 1 ELSE 0 END::bigint
        """

    private static let wantsRole = """
        \(catalogue) SELECT CASE WHEN EXISTS (SELECT 1 FROM kept) AND \(roleIsWanted) THEN 1 ELSE 0 END::bigint
        """

    /// It isn't there and we may make it, or has not all its rights.
    private static let roleIsWanted = """
        CASE WHEN EXISTS (SELECT 1 FROM role)
        THEN EXISTS (SELECT 1 FROM role, ours WHERE NOT has_table_privilege(role.oid, ours.oid, 'DELETE'))
            OR NOT (SELECT has_table_privilege(role.oid, to_regclass('schema_migrations'), 'SELECT') FROM role)
        ELSE (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user) END
        """

    private static let canUse = "\(catalogue) SELECT CASE WHEN EXISTS (SELECT 1 FROM role) THEN 1 ELSE 0 END::bigint"

    /// The role, once it has all its rights here: the last of them is that to read `schema_migrations`.
    static let usableRole = """
        \(catalogue)
        SELECT rolname::text FROM role
        WHERE has_table_privilege(role.oid, to_regclass('schema_migrations'), 'SELECT')
        """

    private static let open = "\(catalogue) SELECT name FROM kept WHERE NOT row_security_active(oid) ORDER BY name"

    // MARK: Changes

    /// The scope is looked up once for a statement, not once for a row: hence its sub-select. CASE, because the planner
    /// takes an OR of two comparisons for so selective that it would expect a hundredth of the rows that come. An index is
    /// found by the query's own `tenant = $1`, which the planner may use first, since comparing texts gives nothing away.
    private static let securingTables = """
        DO '
        DECLARE
            part record;
            test text;
        BEGIN
            FOR part IN \(catalogue.replacingQuotes) SELECT * FROM kept WHERE NOT secured LOOP
                test := format(
                    ''CASE (SELECT current_setting(''''\(setting)'''', true)) ''
                    ''WHEN %I THEN true WHEN ''''\(RowScope.everySetting)'''' THEN true ELSE false END'', part.key
                );
                EXECUTE format(''DROP POLICY IF EXISTS pyairtable_scope ON %s'', part.name);
                EXECUTE format(
                    ''CREATE POLICY pyairtable_scope ON %s USING (%s) WITH CHECK (%s)'', part.name, test, test
                );
                EXECUTE format(
                    ''ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY'', part.name
                );
            END LOOP;
        END'
        """

    private static let creatingRole = """
        DO '
        BEGIN
            EXECUTE (\(catalogue.replacingQuotes)
                SELECT format(''CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE'', actor)
                FROM place);
        END'
        """

    /// A superuser acts as anybody.
    private static let joiningRole = """
        DO '
        BEGIN
            EXECUTE (\(catalogue.replacingQuotes) SELECT format(''GRANT %I TO CURRENT_USER'', actor) FROM place);
        END'
        """

    private static let granting = """
        DO '
        DECLARE
            tables text;
            name text;
            home text;
        BEGIN
            \(catalogue.replacingQuotes)
            SELECT role.rolname, (SELECT n.nspname FROM pg_namespace n JOIN place ON n.oid = place.schema),
                (SELECT string_agg(ours.name, '', '') FROM ours
                 WHERE NOT has_table_privilege(role.oid, ours.oid, ''DELETE''))
            INTO name, home, tables FROM role;
            IF NOT has_schema_privilege(name, home, ''USAGE'') THEN
                EXECUTE format(''GRANT USAGE ON SCHEMA %I TO %I'', home, name);
            END IF;
            IF tables IS NOT NULL THEN
                EXECUTE format(''GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %I'', tables, name);
            END IF;
            EXECUTE format(''GRANT SELECT ON schema_migrations TO %I'', name);
        END'
        """
}

extension String {
    /// For the inside of an SQL literal.
    fileprivate var replacingQuotes: String {
        split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
    }
}
