import Access
import Domain
import HummingbirdTesting
import TestSupport
import Testing
import Tools

@testable import Gateway

/// What a program was given to bring back (a sealed state, the hash of a dry run), brought by whom it was not given to, and to
/// processes that did not give it. The change log tells every write.
@Suite("What is brought back to MCP, and by whom", .timeLimit(.minutes(5)))
struct BroughtStateTests {
    // MARK: Request state

    @Test(
        "LLM-03: a state is good for the tenant, the user, the key and the call it was given for, and once",
        arguments: DatabaseKind.allCases
    )
    func others(_ kind: DatabaseKind) async throws {
        try await withProcess(kind) { process in
            try await process.served { client in
                let given = try await Question(process.deletion(0), process.fixture.key, client)
                let sequence = try await process.sequence()
                let people = try await process.others()
                #expect(people.count == 5)
                for (name, bearer) in people {
                    let other = try await PolicyClient(client, bearer: bearer, era: .alone)
                    let reply = try await other.ask("tools/call", given.accepted, canAsk: true)
                    #expect(reply.status == 400 && reply.json?["error"]?["code"] == -32602, "\(name): \(reply.text)")
                    #expect(reply.text.contains("send the request again without it"), "\(name): \(reply.text)")
                }
                let owner = try await PolicyClient(client, bearer: process.fixture.key, era: .alone)
                for (name, call) in [
                    ("another record", process.deletion(1)), ("more records", process.deletion(0, 1)),
                    ("another tool", process.emptying(0)),
                ] {
                    let reply = try await owner.ask("tools/call", given.accepted.merging(call), canAsk: true)
                    #expect(reply.json?["error"]?["code"] == -32602, "\(name): \(reply.text)")
                }
                #expect(try await process.sequence() == sequence)
                // None of the refusals has used it up.
                let done = try await owner.ask("tools/call", given.accepted, canAsk: true)
                #expect(done.result?["structuredContent"]?["deleted"] == 1, "\(done.text)")
                let end = try await process.sequence()
                #expect(end > sequence)
                let again = try await owner.ask("tools/call", given.accepted, canAsk: true)
                #expect(again.json?["error"]?["code"] == -32602 && again.text.contains("was used before"))
                #expect(try await process.sequence() == end)
            }
        }
    }

    @Test(
        "LLM-03: a state outlives the process that gave it, and is good once in all that serve the same data",
        arguments: DatabaseKind.allCases
    )
    func restart(_ kind: DatabaseKind) async throws {
        try await withProcess(kind) { process in
            let key = process.fixture.key
            try await process.served { client in
                let (first, second) = (
                    try await Question(process.deletion(0), key, client),
                    try await Question(process.deletion(1), key, client)
                )
                try await process.restarted().served { restarted in
                    let sequence = try await process.sequence()
                    let other = try #require(try await process.others()["another key"])
                    let stranger = try await PolicyClient(restarted, bearer: other, era: .alone)
                    let refused = try await stranger.ask("tools/call", first.accepted, canAsk: true)
                    #expect(refused.json?["error"]?["code"] == -32602, "\(refused.text)")
                    #expect(try await process.sequence() == sequence)
                    for (question, isFirst) in [(first, true), (second, false)] {
                        let (taker, late) = isFirst ? (restarted, client) : (client, restarted)
                        let owner = try await PolicyClient(taker, bearer: key, era: .alone)
                        let done = try await owner.ask("tools/call", question.accepted, canAsk: true)
                        #expect(done.result?["structuredContent"]?["deleted"] == 1, "\(done.text)")
                        let end = try await process.sequence()
                        for client in [taker, late] {
                            let owner = try await PolicyClient(client, bearer: key, era: .alone)
                            let again = try await owner.ask("tools/call", question.accepted, canAsk: true)
                            #expect(again.text.contains("was used before"), "\(again.text)")
                        }
                        #expect(try await process.sequence() == end)
                    }
                }
            }
        }
    }

    @Test("LLM-03: a state of a process with another master key is refused, in both directions")
    func foreign() async throws {
        try await withProcess { process in
            let key = process.fixture.key
            try await process.served { client in
                let strangers: [any StateSealer] = [
                    AccessService(
                        database: process.fixture.database,
                        vault: { [database = process.fixture.database] in
                            CredentialVault(
                                database: database,
                                master: try MasterKey(
                                    text: Secret(Self.otherMaster),
                                    source: "another"
                                )
                            )
                        }
                    ).stateSealer, MemoryStateSealer(),
                ]
                for sealer in strangers {
                    try await process.restarted(sealer: sealer).served { other in
                        let sequence = try await process.sequence()
                        for (giver, taker) in [(client, other), (other, client)] {
                            let given = try await Question(process.deletion(0), key, giver)
                            let owner = try await PolicyClient(taker, bearer: key, era: .alone)
                            let reply = try await owner.ask("tools/call", given.accepted, canAsk: true)
                            #expect(reply.status == 400 && reply.json?["error"]?["code"] == -32602, "\(reply.text)")
                            #expect(reply.text.contains("send the request again without it"), "\(reply.text)")
                        }
                        #expect(try await process.sequence() == sequence)
                    }
                }
            }
        }
    }

    @Test("LLM-03: agreed to, but not to what is there by now: it is asked about anew, also after a restart")
    func changed() async throws {
        try await withProcess { process in
            let key = process.fixture.key
            try await process.served { client in
                let given = try await Question(process.deletion(0), key, client)
                try await process.rename(0, to: "Argon")
                let sequence = try await process.sequence()
                try await process.restarted().served { restarted in
                    let owner = try await PolicyClient(restarted, bearer: key, era: .alone)
                    let reply = try await owner.ask("tools/call", given.accepted, canAsk: true)
                    #expect(reply.result?["resultType"] == "input_required", "\(reply.text)")
                    #expect(reply.text.contains("Argon") && !reply.text.contains("Helium"), "\(reply.text)")
                    #expect(try await process.sequence() == sequence)
                }
            }
        }
    }

    private static let otherMaster = "1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100"

    // MARK: Dry runs

    @Test(
        "LLM-03: the hash of a dry run is taken from whom it was given to, by the process that gave it, once",
        arguments: PolicyEra.allCases
    )
    func hashes(_ era: PolicyEra) async throws {
        try await withProcess(mode: .dryRun) { process in
            let key = process.fixture.key
            try await process.served { client in
                let owner = try await PolicyClient(client, bearer: key, era: era)
                func hash() async throws -> JSONValue {
                    let dry = try await owner.ask("tools/call", process.deletion(0, with: ["dryRun": true]))
                    return try #require(dry.result?["structuredContent"]?["proposal"]?["hash"], "\(dry.text)")
                }
                let confirmed = process.deletion(0, with: ["confirm": try await hash()])
                let sequence = try await process.sequence()
                @Sendable func isRefused(_ client: any TestClientProtocol, _ name: String, _ bearer: String)
                    async throws
                {
                    let other = try await PolicyClient(client, bearer: bearer, era: era)
                    let reply = try await other.ask("tools/call", confirmed)
                    #expect(reply.isRefusal, "\(name): \(reply.text)")
                    // For who is of another tenant there is no such base.
                    if name == "a stranger" { return }
                    #expect(reply.text.contains("not given to you"), "\(name): \(reply.text)")
                    #expect(reply.text.contains("dryRun: true"), "\(name): \(reply.text)")
                }
                for (name, bearer) in try await process.others() { try await isRefused(client, name, bearer) }
                try await process.restarted().served { restarted in
                    try await isRefused(restarted, "another process", key)
                }
                #expect(try await process.sequence() == sequence)
                let done = try await owner.ask("tools/call", confirmed)
                #expect(done.result?["structuredContent"]?["deleted"] == 1, "\(done.text)")
                let end = try await process.sequence()
                #expect(try await owner.ask("tools/call", confirmed).isRefusal)
                #expect(try await process.sequence() == end)
            }
        }
    }
}

/// A call whose question was given to a program that can ask.
private struct Question {
    /// The same call, with the state and a yes.
    let accepted: JSONObject

    init(_ call: JSONObject, _ bearer: String, _ client: any TestClientProtocol) async throws {
        let asker = try await PolicyClient(client, bearer: bearer, era: .alone)
        let reply = try await asker.ask("tools/call", call, canAsk: true)
        let state = try #require(reply.result?["requestState"], "\(reply.text)")
        let keys = try #require(reply.result?["inputRequests"]?.objectValue).keys
        let yes: JSONValue = ["action": "accept", "content": ["confirm": true]]
        let answers = JSONObject(keys.map { (key: $0, value: yes) })
        accepted = call.merging(["requestState": state, "inputResponses": .object(answers)])
    }
}
