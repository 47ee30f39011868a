import Database
import Domain

/// What is known of stored files, in SQL. Every method works inside the caller's transaction.
///
/// A row is one attachment: a name and a type on some content. Rows never change but for `unnamed_since`, when the
/// sweep first found no cell that names them.
struct AttachmentStore: Sendable {
    private static let columns = [
        "tenant", "id", "base", "hash", "filename", "type", "size", "width", "height", "created",
    ]
    private static let rows = DigestedTable(
        "attachments",
        noun: "attachment",
        key: ["tenant", "id"],
        columns: columns
    )

    static let migration = Migration(
        id: "airtable/0010-attachments",
        [
            // `unnamed_since` is outside the digest: losing it costs nothing but time.
            """
            CREATE TABLE attachments (
                tenant {text} NOT NULL,
                id {text} NOT NULL,
                base {text} NOT NULL,
                hash {text} NOT NULL,
                filename {text} NOT NULL,
                type {text} NOT NULL,
                size {int} NOT NULL,
                width {int},
                height {int},
                created {int} NOT NULL,
                unnamed_since {int},
                digest {int} NOT NULL,
                PRIMARY KEY (tenant, id)
            ) {strict}
            """,
            "CREATE INDEX attachments_by_hash ON attachments (tenant, hash)",
            "CREATE INDEX attachments_unnamed ON attachments (tenant, unnamed_since) WHERE unnamed_since IS NOT NULL",
        ]
    )

    /// Orders what names a file and what removes it.
    func lock(tenant: TenantID, in transaction: any Transaction) throws {
        try transaction.lock("attachments:\(tenant)")
    }

    /// - Throws: `limitReached` when the tenant has as many bytes as it may.
    func insert(
        _ attachment: Attachment,
        base: BaseID,
        created: Instant,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        try TenantRoom.requireFile(size: attachment.size, tenant: tenant, in: transaction)
        try Self.rows.insert(
            [
                tenant.sql, attachment.id.sql, base.sql, .text(attachment.contentHash), .text(attachment.filename),
                .text(attachment.type), SQLValue(attachment.size), SQLValue(attachment.width),
                SQLValue(attachment.height), SQLValue(created.microseconds),
            ],
            in: transaction
        )
    }

    /// The attachments among `ids` that exist and belong to `base`.
    func attachments(
        _ ids: some Collection<AttachmentID>,
        base: BaseID,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> [AttachmentID: Attachment] {
        var found: [AttachmentID: Attachment] = [:]
        for group in PaddedGroups(ids) {
            let rows = try Self.rows.rows(
                where: "tenant = $1 AND base = $2 AND id IN (\(RecordStore.parameters(3..<(3 + group.count))))",
                [tenant.sql, base.sql] + group.map(\.sql),
                orderedBy: "id",
                in: transaction
            )
            for row in rows {
                let attachment = try Self.attachment(row)
                found[attachment.id] = attachment
            }
        }
        return found
    }

    func attachment(
        _ id: AttachmentID,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> Attachment? {
        try Self.rows.rows(
            where: "tenant = $1 AND id = $2",
            [tenant.sql, id.sql],
            orderedBy: "id",
            in: transaction
        ).first.map(Self.attachment)
    }

    private static func attachment(_ row: Row) throws -> Attachment {
        guard let hash = ContentHash(try row.text("hash")) else {
            throw AirtableError.corrupt("A stored attachment cannot be read.")
        }
        return Attachment(
            id: try row.identifier("id"),
            filename: try row.text("filename"),
            type: try row.text("type"),
            size: try row.integer("size"),
            width: try row.optionalInteger("width").map { Int($0) },
            height: try row.optionalInteger("height").map { Int($0) },
            contentHash: hash.description
        )
    }

    /// Up to `limit` attachments after `id`, in the order of their identifiers.
    func page(
        after id: AttachmentID?,
        limit: Int,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> [Attachment] {
        let ids = try ids(after: id, limit: limit, tenant: tenant, in: transaction)
        guard let first = ids.first, let last = ids.last else { return [] }
        return try Self.rows.rows(
            where: "tenant = $1 AND id >= $2 AND id <= $3",
            [tenant.sql, first.sql, last.sql],
            orderedBy: "id",
            in: transaction
        ).map(Self.attachment)
    }

    // MARK: Sweeping

    /// Up to `limit` identifiers after `id`, in order.
    func ids(
        after id: AttachmentID?,
        limit: Int,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> [AttachmentID] {
        try transaction.rows(
            "SELECT id FROM attachments WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3",
            [tenant.sql, .text(id?.description ?? ""), SQLValue(limit)]
        ).map { try $0.identifier(0) }
    }

    /// Notes since when nothing names these; those noted already keep their time.
    func noteUnnamed(
        _ ids: some Collection<AttachmentID>,
        since: Instant,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        for group in PaddedGroups(ids) {
            try transaction.execute(
                """
                UPDATE attachments SET unnamed_since = $2
                WHERE tenant = $1 AND unnamed_since IS NULL
                    AND id IN (\(RecordStore.parameters(3..<(3 + group.count))))
                """,
                [tenant.sql, SQLValue(since.microseconds)] + group.map(\.sql)
            )
        }
    }

    /// Something names these again, or is about to.
    func noteNamed(
        _ ids: some Collection<AttachmentID>,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        for group in PaddedGroups(ids) {
            try transaction.execute(
                """
                UPDATE attachments SET unnamed_since = NULL
                WHERE tenant = $1 AND unnamed_since IS NOT NULL
                    AND id IN (\(RecordStore.parameters(2..<(2 + group.count))))
                """,
                [tenant.sql] + group.map(\.sql)
            )
        }
    }

    /// Deletes up to `limit` attachments that nothing has named since before `cutoff`.
    ///
    /// - Returns: their contents, of which some may belong to other attachments too.
    func deleteUnnamed(
        before cutoff: Instant,
        limit: Int,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> [ContentHash] {
        let rows = try transaction.rows(
            """
            SELECT id, hash FROM attachments WHERE tenant = $1 AND unnamed_since < $2 ORDER BY unnamed_since LIMIT $3
            """,
            [tenant.sql, SQLValue(cutoff.microseconds), SQLValue(limit)]
        )
        for row in rows {
            try transaction.execute("DELETE FROM attachments WHERE tenant = $1 AND id = $2", [tenant.sql, row[0]])
        }
        return try rows.compactMap { ContentHash(try $0.text(1)) }
    }

    /// Whether any attachment has this content.
    func hasContent(_ hash: ContentHash, tenant: TenantID, in transaction: any Transaction) throws -> Bool {
        try transaction.firstRow(
            "SELECT 1 FROM attachments WHERE tenant = $1 AND hash = $2 LIMIT 1",
            [tenant.sql, .text(hash.description)]
        ) != nil
    }
}
