import Access
import Database
public import Domain

/// Comments on records. They go with their record: a deleted record's are not seen, and come back with it.
extension AirtableService {
    // MARK: Reading

    /// A record's comments, newest first.
    ///
    /// - Parameters:
    ///   - pageSize: 1 to 100.
    ///   - offset: what the page before gave.
    /// - Throws: `.notFound` for an unknown record.
    public func comments(
        on record: RecordID,
        in table: TableID,
        pageSize: Int = Limits.pageRecords,
        offset: String? = nil,
        context: RequestContext
    ) async throws -> CommentPage {
        try context.require(.commentsRead)
        guard (1...Limits.pageRecords).contains(pageSize) else {
            throw AirtableError(
                .invalidRequest,
                "A page has 1 to \(Limits.pageRecords) comments, received \(pageSize)."
            )
        }
        if let hosted = try await backend(of: table, isWrite: true, doing: .commentsRead, context: context) {
            return try await hosted.comments(on: record, pageSize: pageSize, offset: offset)
        }
        var cursor: RecordCursor?
        if let offset, !offset.isEmpty {
            cursor = RecordCursor(offset)
            guard cursor != nil else { throw AirtableError.offsetNotOfThisList }
        }
        let (mentions, before) = (try await mentions(context), cursor?.position)
        return try await readComments(on: record, in: table, context) { [commentStore] transaction, model in
            let rows = try commentStore.page(
                of: record,
                in: model,
                before: before,
                limit: pageSize + 1,
                tenant: context.tenant,
                in: transaction
            )
            let shown = rows.prefix(pageSize)
            return CommentPage(
                comments: shown.map { RecordComment($0, mentions) },
                offset: rows.count > pageSize ? shown.last.map { RecordCursor(position: $0.place).description } : nil
            )
        }
    }

    /// How many comments records have; those without any are left out. At most 1,000 records a call.
    public func commentCounts(
        of records: [RecordID],
        in table: TableID,
        context: RequestContext
    ) async throws -> [RecordID: Int] {
        try context.require(.commentsRead)
        try Self.checkBatch(records.count)
        if let hosted = try await backend(of: table, isWrite: true, doing: .commentsRead, context: context) {
            return try await hosted.commentCounts(of: records)
        }
        let scope = try await access.visibleScope(for: context, doing: .commentsRead)
        return try await seeing(scope, context) { [commentStore] sight in
            let model = try sight.table(table)
            let seen = try sight.seen(Set(records), in: table)
            let shown = records.filter(seen.contains)
            return try commentStore.counts(of: shown, in: model, tenant: context.tenant, in: sight.transaction)
        }
    }

    /// What happened to a record's comments, newest first, also to deleted ones; the newest 1,000 changes.
    public func commentHistory(
        of record: RecordID,
        in table: TableID,
        context: RequestContext
    ) async throws -> [CommentChange] {
        try context.require(.commentsRead)
        return try await readComments(on: record, in: table, context) { [commentStore] transaction, model in
            try commentStore.changes(
                of: record,
                in: table,
                limit: Limits.changePageEntries,
                tenant: context.tenant,
                in: transaction
            )
        }
    }

    // MARK: Writing

    /// Comments on a record. Mentions, `@[usr…]` or `@[e-mail]`, are resolved among the tenant's users.
    ///
    /// - Parameter parent: the comment that this one answers.
    /// - Throws: `.notFound` for an unknown record or parent, `.invalidRequest` for an empty text.
    public func createComment(
        _ text: String,
        parent: CommentID? = nil,
        on record: RecordID,
        in table: TableID,
        context: RequestContext
    ) async throws -> RecordComment {
        if let hosted = try await commentBackend(of: table, context) {
            return try await hosted.createComment(try Self.checkedText(text), parent: parent, on: record)
        }
        let mentions = try await mentions(context)
        let text = mentions.resolved(try Self.checkedText(text))
        return try await changeComments(on: record, in: table, context) { [commentStore] transaction, model, now in
            if let parent { _ = try self.comment(parent, on: record, model, context, transaction) }
            let author = context.principal.user
            let comment = StoredComment(
                id: .random(),
                record: record,
                place: try commentStore.nextPlace(tenant: context.tenant, in: transaction),
                author: author,
                text: text,
                parent: parent,
                created: now,
                updated: nil
            )
            try commentStore.insert(comment, in: model, tenant: context.tenant, in: transaction)
            let change = CommentChange(
                kind: .created,
                comment: comment.id,
                time: now,
                actor: author,
                before: nil,
                after: text
            )
            try commentStore.append(change, of: record, in: table, tenant: context.tenant, in: transaction)
            return RecordComment(comment, mentions)
        }
    }

    /// Changes the text of one's own comment.
    ///
    /// - Throws: `.notFound`; `.invalidPermissions` for somebody else's comment.
    public func updateComment(
        _ id: CommentID,
        text: String,
        on record: RecordID,
        in table: TableID,
        context: RequestContext
    ) async throws -> RecordComment {
        if let hosted = try await commentBackend(of: table, context) {
            return try await hosted.updateComment(id, text: try Self.checkedText(text), on: record)
        }
        let mentions = try await mentions(context)
        let text = mentions.resolved(try Self.checkedText(text))
        return try await changeComments(on: record, in: table, context) { [commentStore] transaction, model, now in
            let old = try self.ownComment(id, on: record, model, context, transaction)
            try commentStore.setText(text, of: id, time: now, tenant: context.tenant, in: transaction)
            let change = CommentChange(
                kind: .edited,
                comment: id,
                time: now,
                actor: context.principal.user,
                before: old.text,
                after: text
            )
            try commentStore.append(change, of: record, in: table, tenant: context.tenant, in: transaction)
            return RecordComment(try self.comment(id, on: record, model, context, transaction), mentions)
        }
    }

    /// Deletes one's own comment; answers to it stay.
    ///
    /// - Throws: `.notFound`; `.invalidPermissions` for somebody else's comment.
    public func deleteComment(
        _ id: CommentID,
        on record: RecordID,
        in table: TableID,
        context: RequestContext
    ) async throws {
        if let hosted = try await commentBackend(of: table, context) {
            return try await hosted.deleteComment(id, on: record)
        }
        try await changeComments(on: record, in: table, context) { [commentStore] transaction, model, now in
            let old = try self.ownComment(id, on: record, model, context, transaction)
            try commentStore.delete(id, tenant: context.tenant, in: transaction)
            let change = CommentChange(
                kind: .deleted,
                comment: id,
                time: now,
                actor: context.principal.user,
                before: old.text,
                after: nil
            )
            try commentStore.append(change, of: record, in: table, tenant: context.tenant, in: transaction)
        }
    }

    // MARK: Shared

    /// Who keeps the comments of a hosted base.
    private func commentBackend(of table: TableID, _ context: RequestContext) async throws -> WebAPIBackend? {
        try context.require(.commentsWrite)
        return try await backend(of: table, isWrite: true, doing: .commentsWrite, context: context)
    }

    private func readComments<T: Sendable>(
        on record: RecordID,
        in table: TableID,
        _ context: RequestContext,
        _ body: @escaping @Sendable (any Transaction, TableModel) throws -> T
    ) async throws -> T {
        let scope = try await access.visibleScope(for: context, doing: .commentsRead)
        return try await seeing(scope, context) { [store] sight in
            let model = try sight.table(table)
            let rows = try store.rows([record], of: model, tenant: context.tenant, in: sight.transaction)
            if try sight.seen(rows, of: model).isEmpty { throw AirtableError.recordNotFound() }
            return try body(sight.transaction, model)
        }
    }

    private func changeComments<T: Sendable>(
        on record: RecordID,
        in table: TableID,
        _ context: RequestContext,
        _ body: @escaping @Sendable (any Transaction, TableModel, Instant) throws -> T
    ) async throws -> T {
        try context.require(.commentsWrite)
        let (scope, now) = (try await access.visibleScope(for: context, doing: .commentsWrite), now())
        return try await change(context) { [store] transaction, schema in
            let gate = WriteGate(.commentsWrite, RecordSight(scope, schema, now: now, in: transaction))
            let model = try gate.sight.table(table)
            let rows = try store.rows([record], of: model, tenant: context.tenant, in: transaction)
            guard let row = try gate.sight.seen(rows, of: model).first else { throw AirtableError.recordNotFound() }
            try gate.requirePermission(in: model)
            try gate.requirePermission(for: [row], of: model)
            return try body(transaction, model, now)
        }
    }

    private func comment(
        _ id: CommentID,
        on record: RecordID,
        _ model: TableModel,
        _ context: RequestContext,
        _ transaction: any Transaction
    ) throws -> StoredComment {
        let found = try commentStore.comment(id, of: record, in: model, tenant: context.tenant, in: transaction)
        guard let found else {
            throw AirtableError(.notFound, "There is no such comment on this record, or you may not see it.")
        }
        return found
    }

    private func ownComment(
        _ id: CommentID,
        on record: RecordID,
        _ model: TableModel,
        _ context: RequestContext,
        _ transaction: any Transaction
    ) throws -> StoredComment {
        let comment = try comment(id, on: record, model, context, transaction)
        guard comment.author == context.principal.user else {
            throw AirtableError(.invalidPermissions, "Only its author may change or delete a comment.")
        }
        return comment
    }

    /// Asked for before anything is known of the caller's rights: nothing of it is shown without them.
    private func mentions(_ context: RequestContext) async throws -> CommentMentions {
        let users = try await access.authors(tenant: context.tenant, deadline: context.deadline)
        return CommentMentions(users.map { CommentPerson(id: $0.id, email: $0.email, name: $0.name) })
    }

    private static func checkedText(_ text: String) throws(AirtableError) -> String {
        guard !text.trimmingSpace().isEmpty, !text.hasNUL else {
            throw AirtableError(.invalidRequest, "A comment is text, and not empty.")
        }
        guard text.cut(toScalars: Limits.commentCharacters) == nil else {
            throw AirtableError(.tooLarge, "A comment has at most \(Limits.commentCharacters) characters.")
        }
        return text
    }
}

extension RecordComment {
    fileprivate init(_ stored: StoredComment, _ mentions: CommentMentions) {
        self.init(
            id: stored.id,
            author: mentions.person(stored.author),
            text: stored.text,
            createdTime: stored.created,
            lastUpdatedTime: stored.updated,
            mentioned: mentions.mentioned(in: stored.text),
            parent: stored.parent
        )
    }
}
