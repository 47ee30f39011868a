import Access
import Database
import Domain
import TestSupport
import Testing

@testable import Airtable

@Suite("Comments")
struct CommentTests {
    static let name = FieldDraft(name: "Name", type: .singleLineText)

    /// A table with one record.
    static func record(_ store: StoreFixture) async throws -> (table: TableID, record: RecordID) {
        let table = try await store.table([name])
        return (table.id, try await store.create(table, ["Name": "x"])[0].id)
    }

    /// Another user of the tenant, who may do everything.
    static func colleague(_ store: StoreFixture, named name: String = "Ada") async throws -> RequestContext {
        let user = try await store.access.createUser(name: name, context: store.context)
        return RequestContext(
            id: "colleague",
            principal: Principal(user: user.id, key: nil, permissions: Set(Permission.allCases)),
            tenant: store.context.tenant,
            deadline: store.context.deadline,
            origin: .http,
            logger: store.context.logger
        )
    }

    @Test("are listed newest first, by pages, with author and times", arguments: DatabaseKind.allCases)
    func listed(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let (table, record) = try await Self.record(store)
            var made: [RecordComment] = []
            for number in 0..<5 {
                store.clock.advance(seconds: 1)
                made.append(try await service.createComment("\(number)", on: record, in: table, context: context))
            }
            #expect(made[0].author == CommentPerson(id: context.principal.user, email: nil, name: "owner"))
            #expect(made[4].createdTime == store.clock.instant)
            #expect(made.allSatisfy { $0.lastUpdatedTime == nil && $0.mentioned.isEmpty && $0.parent == nil })
            func page(_ size: Int, _ offset: String?) async throws -> CommentPage {
                try await service.comments(on: record, in: table, pageSize: size, offset: offset, context: context)
            }
            #expect(try await page(100, nil) == CommentPage(comments: made.reversed(), offset: nil))
            #expect(try await page(5, "").offset == nil)
            let first = try await page(2, nil)
            #expect(first.comments == [made[4], made[3]])
            // The page goes on at its place, though the comment that it stood at is gone and a new one is there.
            try await service.deleteComment(made[3].id, on: record, in: table, context: context)
            _ = try await service.createComment("new", on: record, in: table, context: context)
            let second = try await page(2, first.offset)
            #expect(second.comments == [made[2], made[1]])
            #expect(try await page(2, second.offset) == CommentPage(comments: [made[0]], offset: nil))
            await expectFailure(.invalidOffset) { try await page(2, "nonsense") }
            await expectFailure(.invalidRequest) { try await page(0, nil) }
            await expectFailure(.invalidRequest) { try await page(101, nil) }
            let counts = try await service.commentCounts(of: [record, .random()], in: table, context: context)
            #expect(counts == [record: 5])
            try await store.expectSound()
        }
    }

    @Test("mention people by identifier, e-mail or name; who is nobody stays text", arguments: DatabaseKind.allCases)
    func mentions(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let (table, record) = try await Self.record(store)
            let ada = try await Self.colleague(store, named: "ada@example.org").principal.user
            let owner = context.principal.user
            let stranger = UserID.random()
            let text = "@[Ada@Example.org] and @[\(owner)], @[\(ada)] @[\(stranger)] @[nobody] @[ @[owner] @["
            let comment = try await service.createComment(text, on: record, in: table, context: context)
            #expect(
                comment.text == "@[\(ada)] and @[\(owner)], @[\(ada)] @[\(stranger)] @[nobody] @[ @[\(owner)] @["
            )
            #expect(comment.mentioned.map(\.id) == [ada, owner])
            #expect(comment.mentioned.map(\.name) == ["ada@example.org", "owner"])
            store.clock.advance(seconds: 9)
            let edited = try await service.updateComment(
                comment.id,
                text: "nobody",
                on: record,
                in: table,
                context: context
            )
            #expect(edited.mentioned.isEmpty && edited.text == "nobody")
            #expect(edited.lastUpdatedTime == store.clock.instant && edited.createdTime == comment.createdTime)
            #expect(try await service.comments(on: record, in: table, context: context).comments == [edited])
        }
    }

    @Test("only the author changes or deletes one", arguments: DatabaseKind.allCases)
    func author(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let (table, record) = try await Self.record(store)
            let other = try await Self.colleague(store)
            let comment = try await service.createComment("mine", on: record, in: table, context: context)
            let answer = try await service.createComment(
                "yours",
                parent: comment.id,
                on: record,
                in: table,
                context: other
            )
            #expect(answer.parent == comment.id && answer.author.name == "Ada")
            await expectFailure(.invalidPermissions) {
                try await service.updateComment(comment.id, text: "x", on: record, in: table, context: other)
            }
            await expectFailure(.invalidPermissions) {
                try await service.deleteComment(comment.id, on: record, in: table, context: other)
            }
            #expect(try await service.comments(on: record, in: table, context: other).comments == [answer, comment])
            try await service.deleteComment(comment.id, on: record, in: table, context: context)
            #expect(try await service.comments(on: record, in: table, context: context).comments == [answer])
            let log = try await service.commentHistory(of: record, in: table, context: context)
            #expect(log.map(\.kind) == [.deleted, .created, .created])
            #expect(log.map(\.before) == ["mine", nil, nil] && log.map(\.after) == [nil, "yours", "mine"])
            #expect(log.map(\.comment) == [comment.id, answer.id, comment.id])
            #expect(log.map(\.actor) == [context, other, context].map(\.principal.user))
            // Words are no change of cells.
            #expect(try await store.allChanges().count == 2)
        }
    }

    @Test("what is not there, or not allowed, is refused", arguments: DatabaseKind.allCases)
    func refusals(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let (table, record) = try await Self.record(store)
            let elsewhere = try await service.create([RecordDraft(fields: [:])], in: table, context: context)[0].id
            let comment = try await service.createComment("x", on: record, in: table, context: context)
            func create(_ text: String, _ parent: CommentID? = nil, on target: RecordID) async throws -> RecordComment {
                try await service.createComment(text, parent: parent, on: target, in: table, context: context)
            }
            for text in ["", " \n", "a\0b"] {
                await expectFailure(.invalidRequest) { try await create(text, on: record) }
            }
            let long = String(repeating: "e\u{301}", count: Limits.commentCharacters / 2)
            #expect(try await create(long, on: record).text == long)
            await expectFailure(.tooLarge) { try await create(long + "e", on: record) }
            await expectFailure(.notFound) { try await create("x", on: .random()) }
            await expectFailure(.notFound) { try await create("x", .random(), on: record) }
            await expectFailure(.notFound) { try await create("x", comment.id, on: elsewhere) }
            await expectFailure(.notFound) { try await service.comments(on: .random(), in: table, context: context) }
            await expectFailure(.notFound) {
                try await service.deleteComment(comment.id, on: elsewhere, in: table, context: context)
            }
            let stranger = try await store.otherTenant()
            await expectFailure(.modelNotFound) { try await service.comments(on: record, in: table, context: stranger) }
            await expectFailure(.modelNotFound) {
                try await service.createComment("x", on: record, in: table, context: stranger)
            }
            await expectFailure(.modelNotFound) {
                try await service.commentCounts(of: [record], in: table, context: stranger)
            }
            let reader = store.context(with: [.commentsRead])
            #expect(try await service.comments(on: record, in: table, context: reader).comments.count == 2)
            await #expect(throws: AccessError.self) {
                try await service.createComment("x", on: record, in: table, context: reader)
            }
            let writer = store.context(with: [.commentsWrite, .recordsRead])
            await #expect(throws: AccessError.self) {
                try await service.comments(on: record, in: table, context: writer)
            }
            await #expect(throws: AccessError.self) {
                try await service.commentCounts(of: [record], in: table, context: writer)
            }
            await #expect(throws: AccessError.self) {
                try await service.commentHistory(of: record, in: table, context: writer)
            }
        }
    }

    @Test(
        "go with their record, come back with it, and end with what could bring it back",
        arguments: DatabaseKind.allCases
    )
    func deletedRecords(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let (table, record) = try await Self.record(store)
            let kept = try await service.create([RecordDraft(fields: [:])], in: table, context: context)[0].id
            for target in [record, kept] {
                _ = try await service.createComment("on \(target)", on: target, in: table, context: context)
            }
            func stored() async throws -> Int64 {
                try await store.database.read(of: .everyTenant) {
                    try $0.firstRow("SELECT COUNT(*) FROM comments")?.integer(0) ?? 0
                }
            }
            try await service.delete([record], in: table, context: context)
            await expectFailure(.notFound) { try await service.comments(on: record, in: table, context: context) }
            let deleted = try #require(try await store.allChanges().last?.transaction)
            _ = try await service.undo(transaction: deleted, context: context)
            #expect(try await service.comments(on: record, in: table, context: context).comments.count == 1)
            try await service.delete([record], in: table, context: context)
            #expect(try await stored() == 2)
            store.clock.advance(seconds: 100)
            let retention = ChangeRetention(age: .seconds(50))
            _ = try await service.changes.trim(to: retention, now: store.clock.instant, tenant: context.tenant)
            #expect(try await stored() == 1)
            #expect(try await service.comments(on: kept, in: table, context: context).comments.count == 1)
            // The log goes by age, but for its newest entry, from which the next one counts on.
            let next = try await service.createComment("next", on: kept, in: table, context: context)
            #expect(try await service.commentHistory(of: kept, in: table, context: context).count == 2)
            #expect(try await service.comments(on: kept, in: table, context: context).comments.first == next)
            try await store.expectSound()
            try await service.deleteTable(table, context: context)
            #expect(try await stored() == 0)
        }
    }

    @Test("a damaged comment is an error and is found", arguments: DatabaseKind.allCases)
    func damaged(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let (table, record) = try await Self.record(store)
            _ = try await service.createComment("true words", on: record, in: table, context: context)
            try await store.database.write(of: .everyTenant) {
                try $0.execute("UPDATE comments SET text = 'false words'")
            }
            await expectFailure(.corrupt) { try await service.comments(on: record, in: table, context: context) }
            let report = try await service.verify(context: context)
            #expect(report.problems.count == 1 && report.problems[0].contains("comment"), "\(report.problems)")
        }
    }
}
