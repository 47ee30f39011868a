import Database
import Domain
import TestSupport
import Testing

@testable import Jobs

@Suite("Kept replies")
struct KeptRepliesTests {
    private static let tenant = TenantID.random()
    private static let key = ReplyKey(caller: "key1", route: "createBase", key: "a")
    private static let reply = KeptReply(status: 201, contentType: "application/json", body: Array("{}".utf8))

    private func claim(
        _ replies: KeptReplies,
        _ key: ReplyKey = key,
        body: [UInt8] = [1],
        at seconds: Int64 = 0,
        tenant: TenantID = tenant
    ) async throws -> KeptReplies.Claim {
        try await replies.claim(
            key,
            fingerprint: body,
            now: Instant(microseconds: seconds * 1_000_000),
            deadline: nil,
            tenant: tenant
        )
    }

    @Test("INP-10: one request claims, others wait, and then get its answer", arguments: DatabaseKind.allCases)
    func life(_ kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: KeptReplies.migrations) { database async throws in
            let replies = KeptReplies(database: database)
            #expect(try await claim(replies) == .mine)
            #expect(try await claim(replies) == .inUse)
            #expect(try await claim(replies, body: [2]) == .reused)
            try await replies.keep(Self.reply, for: Self.key, tenant: Self.tenant)
            #expect(try await claim(replies) == .answered(Self.reply))
            #expect(try await claim(replies, body: [2]) == .reused)
            // What was answered is not answered otherwise, and not given back.
            try await replies.keep(
                KeptReply(status: 500, contentType: "", body: nil),
                for: Self.key,
                tenant: Self.tenant
            )
            try await replies.release(Self.key, tenant: Self.tenant)
            #expect(try await claim(replies) == .answered(Self.reply))
        }
    }

    @Test("INP-10: tenants, callers, routes and keys are told apart", arguments: DatabaseKind.allCases)
    func apart(_ kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: KeptReplies.migrations) { database async throws in
            let replies = KeptReplies(database: database)
            #expect(try await claim(replies) == .mine)
            #expect(try await claim(replies, tenant: TenantID.random()) == .mine)
            for other in [
                ReplyKey(caller: "key2", route: "createBase", key: "a"),
                ReplyKey(caller: "key1", route: "createTable", key: "a"),
                ReplyKey(caller: "key1", route: "createBase", key: "b"),
            ] { #expect(try await claim(replies, other) == .mine) }
        }
    }

    @Test("a claim given back can be made again", arguments: DatabaseKind.allCases)
    func released(_ kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: KeptReplies.migrations) { database async throws in
            let replies = KeptReplies(database: database)
            #expect(try await claim(replies) == .mine)
            try await replies.release(Self.key, tenant: Self.tenant)
            #expect(try await claim(replies, body: [2]) == .mine)
        }
    }

    @Test("of many at once exactly one does the work", arguments: DatabaseKind.allCases)
    func race(_ kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: KeptReplies.migrations) { database async throws in
            let replies = KeptReplies(database: database)
            let claims = try await withThrowingTaskGroup(of: KeptReplies.Claim.self) { group in
                for _ in 0..<32 { group.addTask { try await claim(replies) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(claims.count { $0 == .mine } == 1)
            #expect(claims.count { $0 == .inUse } == 31)
        }
    }

    @Test("old ones are forgotten, and the oldest of too many, of this tenant only", arguments: DatabaseKind.allCases)
    func sweep(_ kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: KeptReplies.migrations) { database async throws in
            let replies = KeptReplies(database: database)
            for second in 0..<10 {
                let key = ReplyKey(caller: "key1", route: "r", key: "\(second)")
                #expect(try await claim(replies, key, at: Int64(second)) == .mine)
            }
            let other = TenantID.random()
            #expect(try await claim(replies, tenant: other) == .mine)
            let three = Instant(microseconds: 3_000_000)
            #expect(try await replies.sweep(before: three, limit: 100, tenant: Self.tenant) == 3)
            #expect(try await replies.sweep(before: three, limit: 5, tenant: Self.tenant) == 2)
            #expect(try await replies.sweep(before: three, limit: 5, tenant: Self.tenant) == 0)
            let oldestKept = ReplyKey(caller: "key1", route: "r", key: "5")
            #expect(try await claim(replies, oldestKept) == .inUse)
            #expect(try await claim(replies, tenant: other) == .inUse)
        }
    }
}
