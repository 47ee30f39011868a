import Access
import Airtable
import Database
import Domain
import Foundation
import Logging
import Synchronization
import TestSupport
import Testing

/// Many writers at once over sockets, and a server killed under them: what was acknowledged is there, nothing by half.
@Suite("Load and crashes over HTTP")
struct LoadTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let isLong = environment["PYAIRTABLE_LONG"] == "1"
    private static let seed = environment["PYAIRTABLE_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 1...99_999)
    private static let threads = 25
    /// Times that the server is killed under load, for each database.
    private static let kills = isLong ? 25 : 2

    @Test(
        "25 threads, 40 creates and 20 deletes each: no row is lost, no number given twice, the change log has no gap",
        arguments: DatabaseKind.allCases
    )
    func load(_ kind: DatabaseKind) async throws {
        try await withDatabaseURL(kind) { database in
            try await withTemporaryDirectory { directory in
                let options = ["--database-url", database, "--embedder", "hash"]
                let ledger = Ledger()
                try await withServer(data: directory.path + "/data", adding: options) { url, key, server in
                    let place = try Place(url: url, key: key)
                    await onThreads(Self.threads) { number in
                        let worker = Worker(number: number, place: place, ledger: ledger)
                        ledger.note(failureOf: { try worker.run(rounds: 40) })
                    }
                    #expect(ledger.failures.isEmpty, "\(ledger.failures.prefix(3))")
                    let held = try place.records()
                    #expect(held.names.count == Self.threads * 20)
                    ledger.expectKept(in: held, mayHaveMore: false, "\(kind)")
                    server.terminate()
                    #expect(await server.result().status == 0)
                }
                #expect(ledger.numbers.count == Self.threads * 40)
                #expect(Set(ledger.numbers).count == ledger.numbers.count, "a number was given twice")
                try await Self.expectLog(of: ledger, at: database)
                try await Self.expectSound(["--data", directory.path + "/data"] + options, "\(kind)")
            }
        }
    }

    @Test(
        "GW-13: kill -9 under that load: every acknowledged write is there, and no batch by half",
        arguments: DatabaseKind.allCases
    )
    func kills(_ kind: DatabaseKind) async throws {
        var generator = SeededGenerator(seed: Self.seed)
        try await withDatabaseURL(kind) { database in
            try await withTemporaryDirectory { directory in
                let options = ["--database-url", database, "--embedder", "hash"]
                let data = directory.path + "/data"
                var place: Place?
                for point in 0..<Self.kills {
                    let comment = "\(kind), seed \(Self.seed), point \(point)"
                    let ledger = Ledger()
                    let writes = Int.random(in: 1...400, using: &generator)
                    try await withServer(data: data, adding: options) { url, key, server in
                        let present = try place?.at(url: url, key: key) ?? Place(url: url, key: key)
                        place = present
                        // After so many acknowledged writes, whatever time they take on this machine.
                        async let killed: Void = {
                            defer { server.kill() }
                            try await eventually("\(writes) writes", timeout: .seconds(60)) {
                                ledger.created.count >= writes
                            }
                        }()
                        await onThreads(Self.threads) { number in
                            let worker = Worker(number: 1_000 * (point + 1) + number, place: present, ledger: ledger)
                            // Until the connection breaks.
                            _ = try? worker.run(rounds: 100_000)
                        }
                        try await killed
                        _ = await server.result()
                    }
                    try await withServer(data: data, adding: options) { url, key, server in
                        let present = try #require(try place?.at(url: url, key: key))
                        let held = try present.records()
                        ledger.expectKept(in: held, mayHaveMore: true, comment)
                        #expect(Set(held.numbers).count == held.numbers.count, "\(comment): a number was given twice")
                        server.terminate()
                        _ = await server.result()
                    }
                    try await Self.expectLog(of: nil, at: database)
                    try await Self.expectSound(["--data", data] + options, comment)
                }
            }
        }
    }

    private static func expectSound(_ options: [String], _ comment: String) async throws {
        let doctor = try await Binary.run(["doctor", "--verify", "--json"] + options)
        #expect(doctor.status == 0, "\(comment): \(doctor.output)\(doctor.errors)")
    }

    /// The change log has no gap, and replayed it gives what is in the store.
    private static func expectLog(of ledger: Ledger?, at url: String) async throws {
        let database = try await DatabaseOpener.open(url: url)
        let access = AccessService(database: database)
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        _ = try await access.bootstrap()
        let context = try await access.ownerContext(origin: .commandLine, timeout: .seconds(60), logger: logger)
        let service = AirtableService(database: database, access: access)
        var (sequence, created, deleted) = (Int64(0), Set<RecordID>(), Set<RecordID>())
        var table: TableID?
        while true {
            let page = try await service.changes.changes(after: sequence, limit: 1_000, tenant: context.tenant)
            for change in page.changes {
                #expect(change.sequence == sequence + 1)
                sequence = change.sequence
                switch change.event {
                case .created(let record): #expect(created.insert(record.id).inserted)
                case .deleted(let record): #expect(created.contains(record.id) && deleted.insert(record.id).inserted)
                default: table = change.table
                }
            }
            if page.changes.isEmpty { break }
        }
        if let ledger {
            #expect(created == Set(ledger.created.map(\.id)))
            #expect(deleted == ledger.deleted)
        }
        var held: Set<RecordID> = []
        var cursor: RecordCursor?
        repeat {
            let request = RecordPageRequest(limit: 1_000, after: cursor)
            let page = try await service.records(in: try #require(table), page: request, context: context)
            held.formUnion(page.records.map(\.id))
            cursor = page.next
        } while cursor != nil
        #expect(held == created.subtracting(deleted))
        await database.close()
    }
}

/// The table that is written to.
private struct Place: Sendable {
    let port: UInt16
    let key: String
    let table: String

    /// Makes the table.
    init(url: String, key: String) throws {
        (port, self.key) = (try Self.port(url), key)
        let made = try SocketClient(port: port, key: key).send(
            "POST",
            "/v0/meta/bases",
            [
                "name": "Load",
                "tables": [
                    [
                        "name": "Rows",
                        "fields": [
                            ["name": "Name", "type": "singleLineText"], ["name": "No", "type": "autoNumber"],
                            ["name": "Batch", "type": "singleLineText"],
                            ["name": "Loud", "type": "formula", "options": ["formula": "{Name} & \"!\""]],
                        ],
                    ]
                ],
            ]
        )
        guard made.status == 200, let base = made.body["id"]?.stringValue else {
            throw TestSupportError("no base: \(made.body.text)")
        }
        table = "/v0/\(base)/Rows"
    }

    private init(port: UInt16, key: String, table: String) { (self.port, self.key, self.table) = (port, key, table) }

    /// The same table of a server that was started again.
    func at(url: String, key: String) throws -> Self { Self(port: try Self.port(url), key: key, table: table) }

    private static func port(_ url: String) throws -> UInt16 {
        guard let port = url.split(separator: ":").last.flatMap({ UInt16($0.filter(\.isNumber)) }) else {
            throw TestSupportError("no port in \(url)")
        }
        return port
    }

    struct Held {
        var names: [String] = []
        var ids: Set<String> = []
        var numbers: [Int] = []
        var batches: [String: Int] = [:]
    }

    /// All that a client reads, page by page.
    func records() throws -> Held {
        let client = try SocketClient(port: port, key: key)
        var held = Held()
        var offset: String?
        repeat {
            let page = try client.send("GET", table + "?pageSize=100" + (offset.map { "&offset=\($0)" } ?? ""))
            guard page.status == 200 else { throw TestSupportError("no page: \(page.body.text)") }
            for record in page.body["records"]?.arrayValue ?? [] {
                let name = record["fields"]?["Name"]?.stringValue ?? ""
                held.names.append(name)
                held.ids.insert(record["id"]?.stringValue ?? "")
                held.numbers.append(record["fields"]?["No"]?.intValue ?? 0)
                if let batch = record["fields"]?["Batch"]?.stringValue { held.batches[batch, default: 0] += 1 }
                guard record["fields"]?["Loud"]?.stringValue == name + "!" else {
                    throw TestSupportError("a computed cell does not fit: \(record.text)")
                }
            }
            offset = page.body["offset"]?.stringValue
        } while offset != nil
        return held
    }
}

/// What was acknowledged, of all writers.
private final class Ledger: Sendable {
    struct Row: Hashable {
        let id: RecordID
        let name: String
    }

    private struct State {
        var created: [Row] = []
        var numbers: [Int] = []
        var deleted: Set<RecordID> = []
        /// A deletion was sent and nothing heard of it.
        var doubtful: Set<RecordID> = []
        var failures: [String] = []
    }

    private let state = Mutex(State())

    var created: [Row] { state.withLock { $0.created } }
    var numbers: [Int] { state.withLock { $0.numbers } }
    var deleted: Set<RecordID> { state.withLock { $0.deleted } }
    var failures: [String] { state.withLock { $0.failures } }

    func note(created rows: [(Row, number: Int)]) {
        state.withLock { state in
            state.created += rows.map(\.0)
            state.numbers += rows.map(\.number)
        }
    }

    func noteDeleting(_ id: RecordID) { _ = state.withLock { $0.doubtful.insert(id) } }

    func note(deleted id: RecordID) {
        state.withLock { state in
            state.doubtful.remove(id)
            state.deleted.insert(id)
        }
    }

    func note(failureOf body: () throws -> Void) {
        do { try body() } catch { state.withLock { $0.failures.append("\(error)") } }
    }

    /// - Parameter mayHaveMore: what was under way when the server was killed, at most one request a writer.
    func expectKept(in held: Place.Held, mayHaveMore: Bool, _ comment: String) {
        let state = state.withLock { $0 }
        let lost = state.created.filter { row in
            !state.deleted.contains(row.id) && !state.doubtful.contains(row.id)
                && !held.ids.contains(row.id.description)
        }
        #expect(lost.isEmpty, "\(comment): lost \(lost.prefix(3).map(\.name))")
        let back = state.deleted.filter { held.ids.contains($0.description) }
        #expect(back.isEmpty, "\(comment): came back \(back.prefix(3))")
        if !mayHaveMore {
            let wanted = state.created.filter { !state.deleted.contains($0.id) }
            #expect(held.names.sorted() == wanted.map(\.name).sorted(), "\(comment)")
        }
        for (batch, count) in held.batches {
            #expect(count == Worker.batch, "\(comment): batch \(batch) has \(count) records")
        }
        #expect(!mayHaveMore || !state.created.isEmpty, "\(comment): nothing was written before the kill")
    }
}

/// One client: makes records one by one, deletes every other one, and with each tenth makes a batch besides.
private final class Worker {
    static let batch = 10

    private let number: Int
    private let place: Place
    private let ledger: Ledger
    private let writesBatches: Bool

    init(number: Int, place: Place, ledger: Ledger) {
        (self.number, self.place, self.ledger) = (number, place, ledger)
        // Those of the kill test, where halves would show.
        writesBatches = number >= 1_000
    }

    func run(rounds: Int) throws {
        let client = try SocketClient(port: place.port, key: place.key)
        for round in 0..<rounds {
            let name = "w\(number)-\(round)"
            let made = try client.send("POST", place.table, ["fields": ["Name": .string(name)]])
            let row = try Self.row(made.body, made.status)
            ledger.note(created: [row])
            if round % 2 == 1 {
                ledger.noteDeleting(row.0.id)
                let gone = try client.send("DELETE", place.table + "/\(row.0.id)")
                guard gone.status == 200, gone.body["deleted"] == true else { throw Self.refused(gone) }
                ledger.note(deleted: row.0.id)
            }
            if writesBatches, round % 5 == 0 { try writeBatch(name, client) }
        }
    }

    private func writeBatch(_ name: String, _ client: SocketClient) throws {
        let records = (0..<Self.batch).map { index -> JSONValue in
            ["fields": ["Name": .string("\(name)-\(index)"), "Batch": .string(name)]]
        }
        let made = try client.send("POST", place.table, ["records": .array(records)])
        guard made.status == 200, let rows = made.body["records"]?.arrayValue else { throw Self.refused(made) }
        ledger.note(created: try rows.map { try Self.row($0, 200) })
    }

    private static func row(_ body: JSONValue, _ status: Int) throws -> (Ledger.Row, number: Int) {
        guard status == 200, let id = body["id"]?.stringValue.flatMap({ RecordID($0) }),
            let name = body["fields"]?["Name"]?.stringValue, let number = body["fields"]?["No"]?.intValue
        else { throw TestSupportError("\(status): \(body.text)") }
        return (Ledger.Row(id: id, name: name), number)
    }

    private static func refused(_ reply: SocketClient.Reply) -> TestSupportError {
        TestSupportError("\(reply.status): \(reply.body.text)")
    }
}
