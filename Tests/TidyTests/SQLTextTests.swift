import Testing

/// What people send reaches a database as an argument, never as part of a statement's text. So that this stays true, all
/// that is put into the text of a statement stands in a list that somebody has looked through.
@Suite("SQL texts")
struct SQLTextTests {
    @Test("INP-01: statements hold nothing but names, placeholders and numbers of our own making, each reviewed")
    func interpolations() throws {
        let sql = try Regex(Self.signs)
        var statements = 0
        for file in Repository.swiftSources {
            let texts = SwiftLiterals.all(in: file.text).filter { $0.text.contains(sql) }
            statements += texts.count
            let used = Set(texts.flatMap(\.interpolations))
            let reviewed = Self.reviewed[String(file.path.dropFirst("Sources/".count))] ?? []
            for new in used.subtracting(reviewed).sorted() {
                Issue.record(
                    "\(file): \\(\(new)) is put into SQL. A value goes into the arguments; what no caller can choose (a column, a table, placeholders, a number) goes into `reviewed`"
                )
            }
            for old in reviewed.subtracting(used).sorted() {
                Issue.record("\(file): \\(\(old)) is put into no SQL any more; take it out of `reviewed`")
            }
        }
        #expect(statements > 500, "the statements are no longer found")
        let files = Set(Repository.swiftSources.map { String($0.path.dropFirst("Sources/".count)) })
        #expect(Set(Self.reviewed.keys).subtracting(files).isEmpty)
    }

    @Test("literals and their interpolations are found, in whatever form")
    func scanner() {
        let source = ##"""
            let a = "x \(one) y" // "no \(comment)"
            let b = #"raw \(not) \#(two(")"))"#
            let c = """
                SELECT \(list.map { "in \($0)" }.joined(separator: ", "))
                """
            /* "gone \(gone)" */ let d = "\\(plain)"
            """##
        let found = Set(SwiftLiterals.all(in: source).flatMap(\.interpolations))
        #expect(found == ["one", #"two(")")"#, #"list.map { "in \($0)" }.joined(separator: ", ")"#, "$0"])
    }

    /// What tells a statement, or a part of one, from other text.
    private static let signs =
        #"\b(SELECT|INSERT INTO|UPDATE \S+ SET|DELETE FROM|CREATE (TABLE|INDEX|UNIQUE|VIRTUAL|TRIGGER)|DROP (TABLE|INDEX)|"#
        + #"ALTER TABLE|WHERE|ORDER BY|GROUP BY|LIMIT \$|VALUES|JOIN|PRAGMA|ON CONFLICT|COALESCE|CAST|CASE WHEN|TYPEOF|"#
        + #"IS NOT NULL|IN \(|FROM [a-z]+_)|json ->| = \$| IN \(|^ AND | AND [a-z_]+ |cell_of"#

    /// By file. None of these can be chosen by whoever sends a request: they are constants, names that the source lists,
    /// placeholders made from a count, or integers of the schema.
    private static let reviewed: [String: Set<String>] = [
        "Access/Accounts/AccountStore+Profiles.swift": ["AccessStore.userColumns"],
        "Access/Accounts/AccountStore+Tokens.swift": ["Self.columns", "key", "table"],
        "Access/Accounts/AccountStore.swift": ["AccessStore.userColumns", "Self.columns", "columns", "isSame"],
        "Access/Audit/AuditStore.swift": [
            "Self.columns", "columns", #"conditions.joined(separator: " AND ")"#, "query.limit",
        ],
        "Access/Invites/InviteStore+Accepting.swift": ["AccessStore.userColumns"],
        "Access/Invites/InviteStore.swift": ["Self.columns", "columns"],
        "Access/People/AccessStore+UserChanges.swift": ["Self.userColumns", "userColumns"],
        "Access/Sessions/AccessStore+SessionRows.swift": ["sessionColumns", "sessionTables"],
        "Access/Sessions/AccessStore+Sessions.swift": ["Self.sessionColumns", "Self.sessionTables"],
        "Access/Storage/AccessStore+Grants.swift": ["table"],
        "Access/Storage/AccessStore+KeyChanges.swift": ["keyColumns"],
        "Access/Storage/AccessStore+Keys.swift": ["Self.keyColumns"],
        "Access/Storage/AccessStore+Policy.swift": ["places"],
        "Access/Storage/AccessStore+Users.swift": ["Self.userColumns"],
        "Access/Tenants/AccessStore+ManagedTenants.swift": ["Self.tenantColumns", "tenantColumns"],
        "Access/Tokens/TokenKeyStore.swift": ["Self.columns", "columns"],
        "Airtable/Attachments/AttachmentStore.swift": [
            "RecordStore.parameters(2..<(2 + group.count))", "RecordStore.parameters(3..<(3 + group.count))",
        ],
        "Airtable/Changes/ChangeLogStore+History.swift": [
            "ChangeKind.recomputed.rawValue", "condition", "place.condition", "places",
            #"table == nil ? "" : " AND table_id = $5""#,
        ],
        "Airtable/Changes/ChangedPlaces.swift": ["places"],
        "Airtable/Comments/CommentStore.swift": ["places"],
        "Airtable/Digest/DigestedTable.swift": [
            "$0 + 1", "$0 + settings.count + 1", "$1", "RecordStore.parameters(1..<(columns.count + 2))",
            #"columns.joined(separator: ", ")"#, "condition",
            #"key.enumerated().map { "\($1) = $\($0 + settings.count + 1)" }.joined(separator: " AND ")"#, "name",
            "order", #"settings.enumerated().map { "\($1) = $\($0 + 1)" }.joined(separator: ", ")"#,
        ],
        "Airtable/Import/Document/Importer+Document.swift": ["places", "table"],
        "Airtable/Listing/FieldIndex/FieldIndexStore.swift": ["places"],
        "Airtable/Listing/ListingCandidates.swift": ["condition"],
        "Airtable/Listing/Pushdown/ConditionWriter.swift": [
            "cell.ordinal", "isText(cell)", "none", "ordinal", "place", "places", "postgres", "postgresForm(cell)",
            "read($0, $0.form)", "read(cell, .anything)", "read(cell, .text)", "sqlite", "test",
        ],
        "Airtable/Listing/RecordScan.swift": ["RowCheck.columns", "places"],
        "Airtable/Mirror/HostedBaseStore.swift": ["Self.columns"],
        "Airtable/Records/BulkStatements.swift": [
            #"columns.joined(separator: ", ")"#, "conflicts", #"rows.joined(separator: ", ")"#, "table",
        ],
        "Airtable/Records/RecordStore+Indexed.swift": [
            "RowCheck.columns", "Self.parameters(1..<first)", "Self.parameters(first..<(first + group.count))", "cell",
        ],
        "Airtable/Records/RecordStore.swift": ["RowCheck.columns", "cell", "condition", "places"],
        "Airtable/Schema/SchemaStore+Writing.swift": ["condition", "table"],
        "Airtable/Schema/SchemaStore.swift": ["RecordStore.parameters(1..<(group.count + 1))"],
        "Airtable/Service/AirtableService+TenantRows.swift": ["1 << FieldIndex.ordinalBits"],
        "Airtable/Views/ViewStore.swift": ["RecordStore.parameters(2..<(group.count + 2))"],
        "Airtable/Webhooks/WebhookStore.swift": ["Self.columns"],
        "App/Backup/Backup.swift": ["quoted"],
        "Chat/Storage/ChatStore+Migrations.swift": ["suffix"],
        "Chat/Storage/ChatStore+Processes.swift": ["table", #"values.joined(separator: ", ")"#],
        "Chat/Storage/ChatStore.swift": ["Self.columns", "columns", "running"],
        "Database/Migration/Migrator.swift": ["now"],
        "Database/Postgres/PostgresOpening.swift": ["RowSecurity.setting"],
        "Database/Postgres/RowSecurity.swift": [
            "RowScope.everySetting", "catalogue", "catalogue.replacingQuotes", "roleIsWanted", "setting",
        ],
        "Database/TenantRows.swift": ["column", "columns", #"key.joined(separator: ", ")"#, "selection", "table"],
        "Embeddings/Pipeline/EmbeddingCache.swift": ["places"],
        "Jobs/Storage/JobStore+Claims.swift": [
            "Self.claimable(kinds)", "Self.claimable(kinds, from: next)", "Self.columns", "Self.held",
            "Self.places(kinds, from: 3)", "places(kinds, from: first)",
            #"transaction.dialect == .postgres ? " FOR UPDATE SKIP LOCKED" : """#,
        ],
        "Jobs/Storage/JobStore.swift": ["Self.columns"],
        "LLM/Ledger/TokenStore.swift": ["whose"],
        "Search/Lexical/LexicalIndex.swift": ["SQLLists.placeholders(list.count, from: 2)"],
        "Search/Lexical/PostingChanges.swift": [
            "SQLLists.placeholders(gone.count, from: 3)", "SQLLists.placeholders(terms.count, from: 3)", "condition",
            "old", #"transaction.dialect == .sqlite ? "CAST(\(old) AS BLOB)" : old"#,
        ],
        "Search/Storage/SQLLists.swift": ["prefix", "suffix", "values"],
        "Search/Storage/SearchStore+Keys.swift": ["SQLLists.placeholders(list.count, from: 3)"],
        "Search/Storage/SearchStore+TenantRows.swift": ["1 << 32", "partitions"],
        "Search/Storage/SearchStore+Units.swift": [
            "SQLLists.placeholders(arguments.count)", "Self.unitColumns", "list",
        ],
        "Search/Storage/SearchStore.swift": ["withoutRowID"],
    ]
}
