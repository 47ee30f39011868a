import Database
import Domain
import Foundation
import LLM
import TestSupport
import Testing

@testable import Chat

@Suite("The chat store")
struct StoreTests {
    @Test("AUTHZ-10: what belongs to one tenant is not there for another", arguments: DatabaseKind.allCases)
    func tenants(_ kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: ChatStore.migrations) { database in
            let store = ChatStore(database: database)
            let (tenant, other, owner) = (TenantID.random(), TenantID.random(), UserID.random())
            let deadline = ContinuousClock.now + .seconds(60)
            let time = Instant(milliseconds: 1_700_000_000_000)
            let conversation = Conversation(
                id: .random(),
                owner: owner,
                title: "",
                settings: ChatSettings(model: "m", bases: ["a"]),
                createdTime: time,
                updatedTime: time
            )
            let stored = ChatStore.StoredConversation(conversation: conversation, bases: [])
            try await store.insert(stored, tenant: tenant, deadline: deadline)
            try await store.register("prc", mark: "", until: time)
            let run = ChatRun(
                id: .random(),
                conversation: conversation.id,
                question: .random(),
                answer: .random(),
                state: .running,
                endReason: nil,
                model: "m",
                usage: TokenUsage(input: 1, cachedInput: 2, output: 3, thoughts: 4),
                lastSequence: 0,
                createdTime: time
            )
            let draft = ChatStore.RunDraft(
                run: run,
                content: "Question?",
                parent: nil,
                prompt: "p",
                process: "prc",
                bases: nil
            )
            await #expect(throws: ChatError.notFound("")) {
                try await store.begin(draft, owner: owner, tenant: other, deadline: deadline)
            }
            await #expect(throws: ChatError.notFound("")) {
                try await store.begin(draft, owner: .random(), tenant: tenant, deadline: deadline)
            }
            #expect(try await store.begin(draft, owner: owner, tenant: tenant, deadline: deadline) == [])
            // By now everything may have left traces in it: who sees less asks nothing in it, though they were let in.
            var narrow = draft
            narrow.bases = [.random()]
            await #expect(throws: ChatError.notFound("")) {
                try await store.begin(narrow, owner: owner, tenant: tenant, deadline: deadline)
            }
            narrow = draft
            narrow.narrowing = "a part"
            await #expect(throws: ChatError.notFound("")) {
                try await store.begin(narrow, owner: owner, tenant: tenant, deadline: deadline)
            }

            let channel = RunChannel(tenant: tenant, run: run.id, conversation: conversation.id) { _ in }
            try await channel.send(.text("A"))
            let batch = try #require(channel.take(time: time, answer: run.answer))
            #expect(try await store.append([batch], process: "prc", until: time))
            #expect(try await store.append([batch], process: "else", until: time) == false)

            for (asked, isOwn) in [(tenant, true), (other, false)] {
                let found = try await store.conversation(
                    conversation.id,
                    owner: owner,
                    tenant: asked,
                    deadline: deadline
                )
                #expect((found != nil) == isOwn)
                let listed = try await store.conversations(
                    of: owner,
                    within: ChatReach(bases: nil),
                    limit: 9,
                    after: nil,
                    tenant: asked,
                    deadline: deadline
                )
                #expect(listed.count == (isOwn ? 1 : 0))
                let messages = try await store.messages(of: conversation.id, tenant: asked, deadline: deadline)
                #expect(messages.map(\.content) == (isOwn ? ["Question?", "A"] : []))
                let shown = try await store.run(run.id, owner: owner, tenant: asked, deadline: deadline)
                #expect(shown?.run.usage == (isOwn ? run.usage : nil))
                let events = try await store.events(of: run.id, after: 0, limit: 9, tenant: asked, deadline: deadline)
                #expect(events == (isOwn ? batch.events : []))
            }
            try await store.update(
                conversation.id,
                title: "stolen",
                settings: nil,
                time: time,
                tenant: other,
                deadline: deadline
            )
            try await store.requestCancel(run.id, tenant: other, deadline: deadline)
            #expect(try await store.cancelRequests(of: "prc") == [])
            #expect(try await store.delete(conversation.id, tenant: other, deadline: deadline) == [])
            #expect(try await store.deleteAll(of: owner, tenant: other, deadline: deadline) == [])
            try await store.interrupt(run.id, at: time, tenant: other)
            let after = try await store.conversation(conversation.id, owner: owner, tenant: tenant, deadline: deadline)
            #expect(after?.conversation.title == "Question?" && after?.conversation.settings.bases == ["a"])
            #expect(after?.bases == nil, "asked by somebody who sees all")

            try await store.requestCancel(run.id, tenant: tenant, deadline: deadline)
            #expect(try await store.cancelRequests(of: "prc") == [run.id])
            try await store.unregister("prc")
            #expect(try await store.renew("prc", until: time), "a process with a running run keeps its lease")
            try await store.interrupt(run.id, at: time, tenant: tenant)
            try await store.interrupt(run.id, at: time, tenant: tenant)
            let events = try await store.events(of: run.id, after: 0, limit: 9, tenant: tenant, deadline: deadline)
            #expect(events.map(\.kind) == [.textDelta, .runInterrupted], "ended once")
            try await store.unregister("prc")
            #expect(try await !store.renew("prc", until: time))
            #expect(try await store.delete(conversation.id, tenant: tenant, deadline: deadline) == [])
            let forgotten = Guarded<[RunID]>([])
            await #expect(throws: CancellationError.self) {
                _ = try await store.purgeOne(forgetting: { _, _ in throw CancellationError() })
            }
            let isRemoved = try await store.purgeOne(forgetting: { runs, owner in
                forgotten.update { $0 += owner == tenant ? runs : [] }
            })
            #expect(isRemoved)
            #expect(forgotten.value == [run.id], "what is elsewhere goes first, and is asked for again until it does")
            let isMore = try await store.purgeOne(forgetting: { _, _ in Issue.record("nothing is left") })
            #expect(!isMore)
        }
    }

    @Test("a lease that was renewed in time keeps its process", arguments: DatabaseKind.allCases)
    func leases(_ kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: ChatStore.migrations) { database in
            let store = ChatStore(database: database)
            let time = { (seconds: Int64) in Instant(milliseconds: seconds * 1_000) }
            try await store.register("a", mark: "dead", until: time(10))
            try await store.register("b", mark: "alive", until: time(20))
            let dead = { @Sendable (mark: String) in mark == "dead" }
            #expect(try await store.deadProcesses(at: time(5), isGone: dead).map(\.id) == ["a"])
            #expect(try await store.deadProcesses(at: time(15)) { _ in false }.map(\.id) == ["a"])
            #expect(try await store.renew("a", until: time(30)))
            #expect(try await store.bury("a", leaseUntil: time(10), at: time(15)) == [])
            #expect(try await store.renew("a", until: time(30)), "it had renewed its lease meanwhile")
            _ = try await store.bury("a", leaseUntil: time(30), at: time(31))
            #expect(try await !store.renew("a", until: time(40)))
        }
    }

    @Test("each method of the store is called in these tests")
    func enumerated() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let tests = try String(contentsOf: folder.appendingPathComponent("StoreTests.swift"), encoding: .utf8)
        let sources = repositoryRoot.appendingPathComponent("Sources/Chat/Storage")
        var count = 0
        for file in try FileManager.default.contentsOfDirectory(atPath: sources.path) where file.hasPrefix("ChatStore")
        {
            let text = try String(contentsOf: sources.appendingPathComponent(file), encoding: .utf8)
            for match in text.matches(of: /\n    (?:package )?func ([A-Za-z]+)/) {
                count += 1
                #expect(tests.contains("store.\(match.1)("), "\(match.1) of \(file) is called in no test")
            }
        }
        #expect(count >= 16)
    }
}
