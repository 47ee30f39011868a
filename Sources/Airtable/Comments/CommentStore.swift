import Database
import Domain

/// One comment as it is stored.
struct StoredComment: Sendable {
    let id: CommentID
    let record: RecordID
    /// Rises with time in a tenant, so that it orders comments.
    let place: Int64
    let author: UserID
    let text: String
    let parent: CommentID?
    let created: Instant
    let updated: Instant?
}

/// Comments and their log in SQL. Decides nothing; every method works inside the caller's transaction, and those
/// that write need the tenant's lock.
struct CommentStore: Sendable {
    static let comments = DigestedTable(
        "comments",
        noun: "comment",
        key: ["tenant", "id"],
        columns: ["tenant", "id", "table_number", "record", "place", "author", "text", "parent", "created", "updated"]
    )
    static let log = DigestedTable(
        "comment_log",
        noun: "change of a comment",
        key: ["tenant", "sequence"],
        columns: ["tenant", "sequence", "table_id", "record", "comment", "kind", "actor", "time", "before", "after"]
    )

    static let migration = Migration(
        id: "airtable/0006-comments",
        [
            """
            CREATE TABLE comments (
                tenant {text} NOT NULL,
                id {text} NOT NULL,
                table_number {int} NOT NULL,
                record {text} NOT NULL,
                place {int} NOT NULL,
                author {text} NOT NULL,
                text {text} NOT NULL,
                parent {text},
                created {int} NOT NULL,
                updated {int},
                digest {int} NOT NULL,
                PRIMARY KEY (tenant, id)
            ) {strict}
            """,
            "CREATE INDEX comments_by_record ON comments (tenant, record, place)",
            """
            CREATE TABLE comment_log (
                tenant {text} NOT NULL,
                sequence {int} NOT NULL,
                table_id {text} NOT NULL,
                record {text} NOT NULL,
                comment {text} NOT NULL,
                kind {int} NOT NULL,
                actor {text} NOT NULL,
                time {int} NOT NULL,
                before {text},
                after {text},
                digest {int} NOT NULL,
                PRIMARY KEY (tenant, sequence)
            ) {strict}
            """,
            "CREATE INDEX comment_log_by_record ON comment_log (tenant, record, sequence)",
        ]
    )

    // MARK: Reading

    /// Up to `limit` comments of a record before `place`, newest first.
    func page(
        of record: RecordID,
        in model: TableModel,
        before place: Int64?,
        limit: Int,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> [StoredComment] {
        let rows = try Self.comments.rows(
            where: "tenant = $1 AND record = $2 AND place < $3 AND table_number = $4",
            [tenant.sql, record.sql, SQLValue(place ?? .max), SQLValue(model.number)],
            orderedBy: "place DESC LIMIT \(limit)",
            in: transaction
        )
        return try rows.map(Self.comment)
    }

    func comment(
        _ id: CommentID,
        of record: RecordID,
        in model: TableModel,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> StoredComment? {
        let rows = try Self.comments.rows(
            where: "tenant = $1 AND id = $2",
            [tenant.sql, id.sql],
            orderedBy: "id",
            in: transaction
        )
        let isOfRecord = rows.first.map { $0["record"] == record.sql && $0["table_number"] == SQLValue(model.number) }
        return isOfRecord == true ? try rows.first.map(Self.comment) : nil
    }

    /// How many comments records have; those without any are left out.
    func counts(
        of records: some Collection<RecordID>,
        in model: TableModel,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> [RecordID: Int] {
        var counts: [RecordID: Int] = [:]
        for group in PaddedGroups(records) {
            let places = RecordStore.parameters(3..<(3 + group.count))
            let rows = try transaction.rows(
                """
                SELECT record, COUNT(*) FROM comments
                WHERE tenant = $1 AND table_number = $2 AND record IN (\(places)) GROUP BY record
                """,
                [tenant.sql, SQLValue(model.number)] + group.map(\.sql)
            )
            for row in rows { counts[try row.identifier(0)] = Int(try row.integer(1)) }
        }
        return counts
    }

    /// What happened to a record's comments, newest first.
    func changes(
        of record: RecordID,
        in table: TableID,
        limit: Int,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> [CommentChange] {
        let rows = try Self.log.rows(
            where: "tenant = $1 AND record = $2 AND table_id = $3",
            [tenant.sql, record.sql, table.sql],
            orderedBy: "sequence DESC LIMIT \(limit)",
            in: transaction
        )
        return try rows.map { row in
            guard let kind = CommentChange.Kind(rawValue: try row.integer("kind")) else {
                throw AirtableError.corrupt("The log of comments holds an entry this program does not know.")
            }
            return CommentChange(
                kind: kind,
                comment: try row.identifier("comment"),
                time: Instant(microseconds: try row.integer("time")),
                actor: try row.identifier("actor"),
                before: try row.optionalText("before"),
                after: try row.optionalText("after")
            )
        }
    }

    private static func comment(_ row: Row) throws -> StoredComment {
        StoredComment(
            id: try row.identifier("id"),
            record: try row.identifier("record"),
            place: try row.integer("place"),
            author: try row.identifier("author"),
            text: try row.text("text"),
            parent: row["parent"] == .null ? nil : try row.identifier("parent"),
            created: Instant(microseconds: try row.integer("created")),
            updated: try row.optionalInteger("updated").map { Instant(microseconds: $0) }
        )
    }

    // MARK: Writing

    /// The place of the next comment, and of the next entry of the log. The log always keeps its newest entry.
    func nextPlace(tenant: TenantID, in transaction: any Transaction) throws -> Int64 {
        let row = try transaction.firstRow("SELECT MAX(sequence) FROM comment_log WHERE tenant = $1", [tenant.sql])
        return (try row?.optionalInteger(0) ?? 0) + 1
    }

    func insert(
        _ comment: StoredComment,
        in model: TableModel,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        try Self.comments.insert(
            [
                tenant.sql, comment.id.sql, SQLValue(model.number), comment.record.sql, SQLValue(comment.place),
                comment.author.sql, .text(comment.text), comment.parent?.sql ?? .null,
                SQLValue(comment.created.microseconds), SQLValue(comment.updated?.microseconds),
            ],
            in: transaction
        )
    }

    func setText(
        _ text: String,
        of comment: CommentID,
        time: Instant,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        try Self.comments.update(
            [("text", .text(text)), ("updated", SQLValue(time.microseconds))],
            where: "tenant = $1 AND id = $2",
            [tenant.sql, comment.sql],
            in: transaction
        )
    }

    func delete(_ comment: CommentID, tenant: TenantID, in transaction: any Transaction) throws {
        try transaction.execute("DELETE FROM comments WHERE tenant = $1 AND id = $2", [tenant.sql, comment.sql])
    }

    func append(
        _ change: CommentChange,
        of record: RecordID,
        in table: TableID,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        try Self.log.insert(
            [
                tenant.sql, SQLValue(try nextPlace(tenant: tenant, in: transaction)), table.sql, record.sql,
                change.comment.sql, .integer(change.kind.rawValue), change.actor.sql,
                SQLValue(change.time.microseconds), SQLValue(change.before), SQLValue(change.after),
            ],
            in: transaction
        )
    }

    // MARK: Clearing

    /// Removes the comments of records whose deletion is about to leave the change log: until then an undo
    /// may bring the record back, and its comments with it.
    func deleteComments(ofRecordsDeletedUpTo sequence: Int64, tenant: TenantID, in transaction: any Transaction) throws
    {
        try transaction.execute(
            """
            DELETE FROM comments WHERE tenant = $1
            AND record IN (SELECT record FROM change_log WHERE tenant = $1 AND sequence <= $2 AND kind = $3)
            AND NOT EXISTS (
                SELECT 1 FROM records
                WHERE records.table_number = comments.table_number AND records.id = comments.record
            )
            """,
            [tenant.sql, SQLValue(sequence), .integer(ChangeKind.deleted.rawValue)]
        )
    }

    /// Removes up to `limit` entries of the log before `cutoff`, but never the newest one.
    ///
    /// - Returns: how many went.
    func trim(before cutoff: Instant, limit: Int, tenant: TenantID, in transaction: any Transaction) throws -> Int {
        try transaction.execute(
            """
            DELETE FROM comment_log WHERE tenant = $1 AND sequence IN (
                SELECT sequence FROM comment_log WHERE tenant = $1 AND time < $2
                AND sequence < (SELECT MAX(sequence) FROM comment_log WHERE tenant = $1) ORDER BY sequence LIMIT $3
            )
            """,
            [tenant.sql, SQLValue(cutoff.microseconds), SQLValue(limit)]
        )
    }
}
