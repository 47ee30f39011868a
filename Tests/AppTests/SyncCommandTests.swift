import Domain
import Foundation
import TestSupport
import Testing

/// Two processes of ours: one stands in for the hosted service, behind a proxy that limits and harms; the other mirrors it.
@Suite("A mirror between processes", .serialized)
struct SyncCommandTests {
    private static let isLong = ProcessInfo.processInfo.environment["PYAIRTABLE_LONG"] == "1"
    private static let records = isLong ? 20_000 : 600
    private static let edits = isLong ? 400 : 40
    private static let seed =
        ProcessInfo.processInfo.environment["PYAIRTABLE_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 1...99_999)

    private struct Shop {
        let base: String
        let things: String
        let parts: String
    }

    private func makeShop(_ upstream: BaseClient) async throws -> Shop {
        let body: JSONValue = [
            "name": "Shop",
            "tables": [
                [
                    "name": "Things",
                    "fields": [
                        ["name": "Name", "type": "singleLineText"],
                        ["name": "Number", "type": "number", "options": ["precision": 0]],
                        [
                            "name": "Kind", "type": "singleSelect",
                            "options": ["choices": [["name": "red"], ["name": "blue"]]],
                        ],
                        ["name": "Made", "type": "createdTime"],
                        ["name": "Twice", "type": "formula", "options": ["formula": "{Number} * 2"]],
                    ],
                ], ["name": "Parts", "fields": [["name": "Part", "type": "singleLineText"]]],
            ],
        ]
        let made = try await upstream.json("POST", "/v0/meta/bases", body)
        let base = try #require(made["id"]?.stringValue)
        let things = try #require(made["tables"]?[0]?["id"]?.stringValue)
        let parts = try #require(made["tables"]?[1]?["id"]?.stringValue)
        let link: JSONValue = [
            "name": "Parts", "type": "multipleRecordLinks", "options": ["linkedTableId": .string(parts)],
        ]
        _ = try await upstream.json("POST", "/v0/meta/bases/\(base)/tables/\(things)/fields", link)
        return Shop(base: base, things: things, parts: parts)
    }

    private func fill(_ upstream: BaseClient, _ shop: Shop) async throws {
        let rows = (0..<Self.records).map { "Thing \($0),\($0),\($0 % 2 == 0 ? "red" : "blue")" }
        try await withTemporaryDirectory { directory in
            let file = directory.appendingPathComponent("Things.csv")
            try Data(("Name,Number,Kind\n" + rows.joined(separator: "\n") + "\n").utf8).write(to: file)
            let options = ["--data", upstream.data, "--embedder", "hash"]
            let result = try await Binary.run(["import", file.path, "--base", "Shop", "--append"] + options)
            #expect(result.status == 0, "\(result.errors)")
        }
    }

    /// Until both have the same records; what differs is told when they never do.
    private func expectSame(_ upstream: BaseClient, _ mirror: BaseClient, _ shop: Shop, _ comment: String) async throws
    {
        for table in [shop.things, shop.parts] {
            let last = Guarded<String>("")
            do {
                try await eventually(
                    "\(comment): both have the same records",
                    timeout: .seconds(Self.isLong ? 600 : 120)
                ) {
                    let (theirs, ours) = (
                        try await upstream.records(shop.base, table), try await mirror.records(shop.base, table)
                    )
                    let differing = Set(theirs.keys).union(ours.keys).filter { theirs[$0] != ours[$0] }
                    last.value = differing.prefix(3).map {
                        "\(String(describing: theirs[$0])) / \(String(describing: ours[$0]))"
                    }
                    .joined(separator: "\n")
                    return differing.isEmpty
                }
            } catch { Issue.record("\(comment): \(error)\n\(last.value)") }
        }
    }

    private func edit(
        _ upstream: BaseClient,
        _ mirror: BaseClient?,
        _ shop: Shop,
        _ ids: [String],
        _ generator: inout SeededGenerator
    ) async {
        let number = JSONValue.number(JSONNumber(Int.random(in: 0..<1_000, using: &generator)))
        let id = ids.randomElement(using: &generator) ?? ""
        let there = mirror == nil || Bool.random(using: &generator)
        let client = there ? upstream : mirror ?? upstream
        let path = "/v0/\(shop.base)/\(shop.things)"
        let kind = Int.random(in: 0..<6, using: &generator)
        do {
            switch kind {
            case 0: _ = try await client.json("DELETE", "\(path)/\(id)")
            case 1:
                let part = try await client.json(
                    "POST",
                    "/v0/\(shop.base)/\(shop.parts)",
                    ["fields": ["Part": "wheel"]]
                )
                let fields: JSONValue = ["fields": ["Parts": [part["id"] ?? .null]]]
                _ = try await client.json("PATCH", "\(path)/\(id)", fields)
            case 2:
                let records = (0..<10).map {
                    JSONValue.object(["fields": ["Name": .string("new \($0)"), "Number": number]])
                }
                _ = try await client.json("POST", path, ["records": .array(records)])
            case 3: _ = try await client.json("PUT", "\(path)/\(id)", ["fields": ["Name": "only"]])
            default:
                _ = try await client.json("PATCH", "\(path)/\(id)", ["fields": ["Number": number, "Kind": "blue"]])
            }
        } catch {
            // Gone meanwhile, uncertain, or the server was killed: the end tells whether the mirror knows.
        }
    }

    @Test("equals its upstream after edits on both sides, faults and kills")
    func whole() async throws {
        var generator = SeededGenerator(seed: Self.seed)
        let comment = "seed \(Self.seed)"
        try await withTemporaryDirectory { directory in
            let (upstreamData, data) = (directory.path + "/upstream", directory.path + "/mirror")
            try await withServer(data: upstreamData, adding: ["--embedder", "hash"]) { url, key, _ in
                let upstream = BaseClient(url: url, key: key, data: upstreamData)
                let shop = try await makeShop(upstream)
                try await fill(upstream, shop)
                let port = try #require(url.split(separator: ":").last.flatMap { Int($0) })
                let proxy = try FaultyProxy(to: port, seed: Self.seed)
                defer { proxy.stop() }
                let environment = [
                    "AIRTABLE_API_KEY": key, "AIRTABLE_ENDPOINT_URL": proxy.url, "PYAIRTABLE_SYNC_INTERVAL": "1",
                    "PYAIRTABLE_SYNC_SWEEP_INTERVAL": Self.isLong ? "60" : "3",
                ]
                let options = ["--data", data, "--embedder", "hash"]
                let sync = ["sync", "--base", shop.base, "--json"] + options
                // The first pull, killed and gone on with.
                for _ in 0..<3 {
                    let running = try Binary.Running(sync, adding: environment)
                    try await Task.sleep(for: .milliseconds(Int.random(in: 300...1_800, using: &generator)))
                    running.kill()
                    _ = await running.result()
                }
                let pulled = try await Binary.run(sync, adding: environment, timeout: 590)
                #expect(pulled.status == 0, "\(comment): \(pulled.errors)")
                let line = try #require(try pulled.json().first)
                #expect(line["tables"]?[0]?["records"]?.intValue == Self.records, "\(comment)")
                let doctor = try await Binary.run(["doctor", "--json", "--verify"] + options, adding: environment)
                #expect(doctor.output.contains("the mirror of base"), "\(doctor.output)")
                #expect(doctor.status == 0, "\(doctor.output)")
                // A server keeps it in step; edits on both sides, faults, and a kill in the middle.
                let ids = Array(try await upstream.records(shop.base, shop.things).keys).sorted()
                proxy.setFaulty(true)
                for round in 0..<2 {
                    try await withServer(data: data, adding: ["--embedder", "hash"], variables: environment) {
                        url,
                        key,
                        server in
                        let mirror = BaseClient(url: url, key: key, data: data)
                        for _ in 0..<(Self.edits / 2) { await edit(upstream, mirror, shop, ids, &generator) }
                        if round == 0 {
                            server.kill()
                            _ = await server.result()
                            for _ in 0..<5 { await edit(upstream, nil, shop, ids, &generator) }
                        } else {
                            proxy.setFaulty(false)
                            try await expectSame(upstream, mirror, shop, comment)
                            let status = try await mirror.json("GET", "/api/v1/airtable/hosted-bases")
                            #expect(status["bases"]?[0]?["home"] == "mirrored")
                            #expect(status["bases"]?[0]?["state"] == "following")
                        }
                    }
                }
                let sound = try await Binary.run(["doctor", "--json", "--verify"] + options, adding: environment)
                #expect(sound.status == 0, "\(comment): \(sound.output)")
            }
        }
    }

    @Test("asks a hosted base that is not mirrored for each record, and forgets it when told")
    func passed() async throws {
        try await withTemporaryDirectory { directory in
            let (upstreamData, data) = (directory.path + "/upstream", directory.path + "/gateway")
            try await withServer(data: upstreamData, adding: ["--embedder", "hash"]) { url, key, _ in
                let upstream = BaseClient(url: url, key: key, data: upstreamData)
                let shop = try await makeShop(upstream)
                let made = try await upstream.json(
                    "POST",
                    "/v0/\(shop.base)/\(shop.things)",
                    ["fields": ["Name": "first", "Number": 21]]
                )
                let id = try #require(made["id"]?.stringValue)
                let environment = ["AIRTABLE_API_KEY": key, "AIRTABLE_ENDPOINT_URL": url]
                let options = ["--data", data, "--embedder", "hash"]
                let attached = try await Binary.run(
                    ["sync", "--base", shop.base, "--schema-only"] + options,
                    adding: environment
                )
                #expect(attached.status == 0, "\(attached.errors)")
                try await withServer(data: data, adding: ["--embedder", "hash"], variables: environment) {
                    url,
                    key,
                    _ in
                    let gateway = BaseClient(url: url, key: key, data: data)
                    let path = "/v0/\(shop.base)/Things"
                    #expect(try await gateway.json("GET", "\(path)/\(id)") == made)
                    let changed = try await gateway.json(
                        "PATCH",
                        "\(path)/\(id)",
                        ["fields": ["Kind": "red", "Number": 4]]
                    )
                    #expect(changed["fields"]?["Twice"] == 8)
                    #expect(try await upstream.json("GET", "\(path)/\(id)") == changed)
                    let listed = try await gateway.json("GET", "\(path)?filterByFormula=%7BNumber%7D%3D4")
                    #expect(listed["records"]?[0] == changed)
                    await #expect(throws: (any Error).self) {
                        _ = try await gateway.json("POST", path, ["fields": ["Number": "x"]])
                    }
                    // A field is made there by the same call as here, and known here at once.
                    let field = try await gateway.json(
                        "POST",
                        "/v0/meta/bases/\(shop.base)/tables/\(shop.things)/fields",
                        ["name": "Note", "type": "multilineText"]
                    )
                    let noted = try await gateway.json("PATCH", "\(path)/\(id)", ["fields": ["Note": "here"]])
                    #expect(noted["fields"]?["Note"] == "here")
                    let tables = try await upstream.json("GET", "/v0/meta/bases/\(shop.base)/tables")
                    let fields = tables["tables"]?[0]?["fields"]?.arrayValue ?? []
                    #expect(fields.contains { $0["id"] == field["id"] && $0["name"] == "Note" })
                    let own = "/api/v1/airtable/bases/\(shop.base)/tables/\(shop.things)/records"
                    #expect(try await gateway.json("GET", own)["records"]?.arrayValue?.count == 1)
                    _ = try await gateway.json("DELETE", "\(path)/\(id)")
                    #expect(try await upstream.records(shop.base, shop.things).isEmpty)
                }
                let forgotten = try await Binary.run(
                    ["sync", "--base", shop.base, "--forget"] + options,
                    adding: environment
                )
                #expect(forgotten.status == 0, "\(forgotten.errors)")
                #expect(try await upstream.json("GET", "/v0/meta/bases")["bases"]?.arrayValue?.count == 1)
                let refused = try await Binary.run(["sync", "--base", "appNone"] + options, adding: environment)
                #expect(refused.status != 0 && refused.errors.contains("no identifier of a base"))
            }
        }
    }
}
