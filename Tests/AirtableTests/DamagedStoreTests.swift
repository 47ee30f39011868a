import Access
import Airtable
import Database
import Domain
import Foundation
import Logging
import TestSupport
import Testing

/// The whole store on a damaged file; `DamagedFileTests` has the database alone.
@Suite("Damaged stores")
struct DamagedStoreTests {
    @Test("each thing read is as it was written, or refused; what is missing is reported")
    func mutations() async throws {
        let isLong = ProcessInfo.processInfo.environment["PYAIRTABLE_LONG"] == "1"
        try await withTemporaryDirectory { directory in
            let intact = directory.appendingPathComponent("intact.sqlite")
            let written = try await Self.fill(intact.path)
            let original = try [UInt8](Data(contentsOf: intact))
            #expect(original.count > 60 * 4_096)
            var (refused, sound, lost) = (0, 0, 0)
            for seed in 1...(isLong ? 1_000 : 100) {
                var generator = SeededGenerator(seed: UInt64(seed))
                let mutant = directory.appendingPathComponent("mutant-\(seed).sqlite")
                try Data(FileDamage.mutated(original, &generator)).write(to: mutant)
                var reading = Reading(written)
                do { try await Self.read("sqlite:\(mutant.path)", written, into: &reading) } catch {
                    reading.refuse(error, "opening")
                }
                for problem in reading.problems { Issue.record("seed \(seed): \(problem)") }
                // Rows that a damaged tree no longer leads to cannot be missed by a page; the check does.
                if !reading.lost.isEmpty, reading.isReported == false {
                    Issue.record("seed \(seed): nobody reports that these are missing: \(reading.lost.sorted())")
                }
                if !reading.lost.isEmpty { lost += 1 } else if reading.refusals > 0 { refused += 1 } else { sound += 1 }
                for suffix in ["", "-wal", "-shm", "-turn"] { unlink(mutant.path + suffix) }
            }
            if isLong { print("damaged stores: \(refused) refused, \(sound) read as written, \(lost) lost rows") }
            #expect(refused > (isLong ? 400 : 40))
            #expect(lost < (isLong ? 100 : 10))
        }
    }

    /// All that the store gives for what was put into it.
    struct Everything: Sendable {
        let context: RequestContext
        var bases: [Base] = []
        var tables: [BaseID: [Table]] = [:]
        var records: [TableID: [Record]] = [:]
        var changes: [RecordChange] = []
    }

    /// What one mutant gave.
    struct Reading {
        let written: Everything
        var problems: [String] = []
        var lost: Set<String> = []
        var refusals = 0
        /// Nil when the check itself was refused.
        var isReported: Bool?

        init(_ written: Everything) { self.written = written }

        mutating func refuse(_ error: any Error, _ what: String) {
            refusals += 1
            guard let failure = error as? any Failure else { return problems.append("\(what): \(error)") }
            switch failure.kind {
            case .corrupt, .internal, .conflict, .invalid: break
            // A table named by its identifier, in a schema that was read without error.
            default: problems.append("\(what): \(failure) \(failure.detail ?? "")")
            }
        }

        /// `read` gives what was written, or an error.
        mutating func expect<T: Equatable>(_ value: T, _ what: String, _ read: () async throws -> T) async {
            do {
                let found = try await read()
                if found != value { problems.append("\(what) is \(found), not \(value)") }
            } catch { refuse(error, what) }
        }

        /// As `expect`, but elements may be missing.
        mutating func expectPart<T: Equatable>(of all: [T], _ what: String, _ read: () async throws -> [T]) async {
            do {
                var rest = all[...]
                for element in try await read() {
                    guard let position = rest.firstIndex(of: element) else {
                        return problems.append("\(what) holds \(element), which was not written there")
                    }
                    if position != rest.startIndex { lost.insert(what) }
                    rest = rest[(position + 1)...]
                }
                if !rest.isEmpty { lost.insert(what) }
            } catch { refuse(error, what) }
        }
    }

    private static func read(_ url: String, _ written: Everything, into reading: inout Reading) async throws {
        let database = try await DatabaseOpener.open(url: url)
        do { try await Migrator.migrate(database, storeMigrations) } catch {
            await database.close()
            throw error
        }
        let service = AirtableService(database: database, access: AccessService(database: database))
        let context = context(written.context)
        await reading.expect(written.bases, "bases") { try await service.bases(context: context) }
        for base in written.bases {
            let tables = written.tables[base.id] ?? []
            await reading.expect(tables, "tables") { try await service.tables(in: base.id, context: context) }
            for table in tables {
                let records = written.records[table.id] ?? []
                await reading.expectPart(of: records, "listing") { try await all(table.id, service, context) }
                await reading.expectPart(of: records, "reading") {
                    try await service.records(records.map(\.id), in: table.id, context: context)
                }
                await reading.expectPart(of: [records.count], "count") {
                    [try await service.recordCount(in: table.id, context: context)].filter { $0 == records.count }
                }
            }
        }
        await reading.expectPart(of: written.changes, "changes") { try await changes(service, context.tenant) }
        do {
            let report = try await service.verify(context: context)
            let findings = try await database.integrityCheck()
            reading.isReported = !report.isSound || !findings.isEmpty
        } catch { reading.refuse(error, "checking") }
        await database.close()
    }

    /// Two bases, links, every kind of cell, deleted records and an appended import.
    private static func fill(_ path: String) async throws -> Everything {
        let database = try await DatabaseOpener.open(url: "sqlite:\(path)")
        try await Migrator.migrate(database, storeMigrations)
        let store = try await storeFixture(database)
        let (service, context) = (store.service, store.context)
        var written = Everything(context: context)
        for base in ["Company", "Library"] {
            let made = try await service.createBase(
                name: base,
                tables: [
                    TableDraft(
                        name: "People",
                        fields: [
                            FieldDraft(name: "Name", type: .singleLineText), .link("Team", to: "Teams"),
                            FieldDraft(name: "Level", type: .singleSelect, choices: ["Low", "High"]),
                            FieldDraft(name: "Born", type: .date), FieldDraft(name: "Size", type: .number),
                            FieldDraft(name: "Notes", type: .multilineText), FieldDraft(name: "No", type: .autoNumber),
                            FieldDraft(name: "Made", type: .createdTime),
                        ]
                    ), TableDraft(name: "Teams", fields: [FieldDraft(name: "Title", type: .singleLineText)]),
                ],
                context: context
            )
            let (people, teams) = (made.tables[0], made.tables[1])
            let team = try await service.create(
                (0..<20).map { RecordDraft(fields: ["Title": .string("team \($0)")]) },
                in: teams.id,
                context: context
            )
            let persons = try await service.create(
                (0..<250).map { number in
                    RecordDraft(fields: [
                        "Name": .string("person \(number)"), "Level": number % 2 == 0 ? "Low" : "High",
                        "Born": .string("19\(10 + number % 90)-02-03"), "Size": .number(JSONNumber(number)),
                        "Team": .ids([team[number % 20].id]),
                        "Notes": .string(String(repeating: "note \(number) ", count: number % 50 == 0 ? 900 : 8)),
                    ])
                },
                in: people.id,
                context: context
            )
            try await service.delete(persons.prefix(60).map(\.id), in: people.id, context: context)
            try await append(300, to: people, store)
        }
        written.bases = try await service.bases(context: context)
        for base in written.bases {
            let tables = try await service.tables(in: base.id, context: context)
            written.tables[base.id] = tables
            for table in tables { written.records[table.id] = try await all(table.id, service, context) }
        }
        written.changes = try await changes(service, context.tenant)
        try await store.expectSound()
        await database.close()
        return written
    }

    private static func append(_ count: Int, to table: Table, _ store: StoreFixture) async throws {
        let imports = store.service.imports
        let session = try await imports.begin(
            .appending(table.base, tables: [table.id]),
            tables: [],
            owner: "test",
            context: store.context
        )
        let rows = (0..<count).map { ImportRow(cells: [table.fields[0].id: .text("imported \($0)")]) }
        try await imports.insertRows(rows, into: table.id, of: session, context: store.context)
        _ = try await imports.publish(session, context: store.context)
    }

    private static func all(
        _ table: TableID,
        _ service: AirtableService,
        _ context: RequestContext
    ) async throws -> [Record] {
        var records: [Record] = []
        var cursor: RecordCursor?
        repeat {
            let request = RecordPageRequest(limit: 100, after: cursor)
            let page = try await service.records(in: table, page: request, context: context)
            records += page.records
            cursor = page.next
        } while cursor != nil
        return records
    }

    private static func changes(_ service: AirtableService, _ tenant: TenantID) async throws -> [RecordChange] {
        var changes: [RecordChange] = []
        while true {
            let page = try await service.changes.changes(
                after: changes.last?.sequence ?? 0,
                limit: 200,
                tenant: tenant
            )
            if page.changes.isEmpty { return changes }
            changes += page.changes
        }
    }

    /// Of the owner, with a deadline that a hang would pass.
    private static func context(_ context: RequestContext) -> RequestContext {
        RequestContext(
            id: context.id,
            principal: context.principal,
            tenant: context.tenant,
            deadline: .now + .seconds(30),
            origin: context.origin,
            logger: context.logger
        )
    }
}
