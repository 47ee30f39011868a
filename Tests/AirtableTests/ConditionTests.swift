import Access
import Database
import Domain
import Foundation
import TestSupport
import Testing

@testable import Airtable

/// Random conditions over random records; a failure names its seed, which `PYAIRTABLE_SEED` runs again.
@Suite("Conditions of a filter")
struct ConditionTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let seed =
        environment["PYAIRTABLE_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 1...999_999_999)

    private static func condition(_ random: inout SeededGenerator) -> RecordCondition? {
        let field = FilterGenerator.fields.randomElement(using: &random)!
        let comparison = RecordCondition.Comparison.allCases.randomElement(using: &random)!
        func value() -> JSONValue {
            switch field.type {
            case .number, .rating: [0, 1, 2, 3, -1, 2.5].randomElement(using: &random)!
            case .checkbox: .bool(Bool.random(using: &random))
            case .singleSelect, .multipleSelects:
                .string((field.options.choices ?? []).randomElement(using: &random)?.name.uppercased() ?? "")
            case .date, .dateTime, .createdTime, .lastModifiedTime:
                ["2024-05-01", "2024-05-02", "2024-05-01T12:00:00Z", "2025-01-01"].randomElement(using: &random)!
            default: ["a", "A ", "b", "12", "x y"].randomElement(using: &random)!
            }
        }
        switch comparison {
        case .empty, .notEmpty: return RecordCondition(field: field.name, comparison: comparison)
        case .isIn: return RecordCondition(field: field.name, comparison: .isIn, value: .array([value(), value()]))
        default: return RecordCondition(field: field.name, comparison: comparison, value: value())
        }
    }

    @Test("what SQL leaves out, no condition accepts", arguments: DatabaseKind.allCases)
    func agreement(_ kind: DatabaseKind) async throws {
        let (seed, now) = (Self.seed, Instant(microseconds: 1_750_000_000_000_000))
        try await withDatabase(kind, migrations: storeMigrations) { database in
            let tenant = TenantID.random()
            var generator = FilterGenerator(seed: seed)
            let model = FilterGenerator.model(number: 7)
            let first = model.positionRange.lowerBound + 1
            let rows = (0..<100).map { generator.row(position: first + Int64($0), model: model) }
            try await PushdownTests.store(rows, model, tenant, database)
            var random = SeededGenerator(seed: seed)
            var (tried, pushed, found) = (0, 0, 0)
            while tried < 200 {
                var query = RecordQuery()
                query.conditions = (0..<Int.random(in: 1...2, using: &random)).compactMap { _ in
                    Self.condition(&random)
                }
                let trial: FilterTrial
                // Many a comparison is none for the field's type.
                do { trial = try FilterTrial(query, model: model, tenant: tenant, now: now) } catch is AirtableError {
                    continue
                }
                tried += 1
                let expected = try trial.accepted(rows)
                let outcome = try await database.read(of: .everyTenant) { try trial.outcome(in: $0) }
                if let bySQL = outcome.bySQL {
                    let isRight = outcome.isExact ? bySQL == expected : bySQL.isSuperset(of: expected)
                    #expect(isRight, "seed \(seed): \(query.conditions)")
                    pushed += 1
                }
                #expect(outcome.listed == expected.sorted(), "seed \(seed): \(query.conditions) by the list's way")
                found += expected.isEmpty || expected.count == rows.count ? 0 : 1
            }
            #expect(pushed > 60 && found > 50, "seed \(seed): \(pushed) pushed, \(found) chose some")
        }
    }

    @Test("pages, sorts and views go with conditions; nothing is skipped or twice", arguments: DatabaseKind.allCases)
    func listing(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let table = try await store.table([
                FieldDraft(name: "Name", type: .singleLineText), FieldDraft(name: "Count", type: .number),
            ])
            for start in stride(from: 0, to: 40, by: 10) {
                _ = try await store.service.create(
                    (start..<(start + 10)).map { number in
                        RecordDraft(fields: ["Name": .string("n\(number % 3)"), "Count": .number(JSONNumber(number))])
                    },
                    in: table.id,
                    context: store.context
                )
            }
            for isSorted in [false, true] {
                var query = RecordQuery()
                query.conditions = [
                    RecordCondition(field: "Name", comparison: .isIn, value: ["N0", "n2"]),
                    RecordCondition(field: "Count", comparison: .greaterOrEqual, value: 5),
                ]
                if isSorted { query.sort = [.init(field: "Count", isDescending: true)] }
                query.pageSize = 4
                var counts: [Double] = []
                repeat {
                    let page = try await store.service.list(query, in: table.id, context: store.context)
                    for record in page.records {
                        if case .number(let count)? = record.cells[table.fields[1].id] { counts.append(count) }
                    }
                    query.offset = page.offset
                } while query.offset != nil
                let expected = (5..<40).filter { $0 % 3 != 1 }.map(Double.init)
                #expect(counts == (isSorted ? expected.reversed() : expected))
            }
        }
    }

    @Test("a part of a linked record's identifier is no part of its name; the whole identifier stands for it")
    func identifiers() throws {
        let field = Field(id: .random(), name: "Shop", type: .multipleRecordLinks, ordinal: 0)
        let table = Table(id: .random(), base: .random(), name: "T", primaryField: field.id, fields: [field])
        let shop = try #require(RecordID("recAAAAAAAAAAouAA"))
        let record = Record(id: .random(), createdTime: .now(), cells: [field.id: .links([shop])])
        let named = LinkTexts([shop: "North"])
        for (comparison, value, isFit) in [
            (RecordCondition.Comparison.contains, "ou", false), (.contains, "NOR", true), (.equals, "\(shop)", true),
            (.equals, "north", true), (.equals, "ou", false),
        ] {
            let condition = RecordCondition(field: "Shop", comparison: comparison, value: .string(value))
            let predicate = try ConditionPredicate(condition, of: table)
            #expect(predicate.holds(for: record, links: named) == isFit, "\(comparison) \(value)")
        }
    }
}

@Suite("Following changes")
struct FollowingTests {
    @Test("from a place on, oldest first, by pages; of a base, a table or a record", arguments: DatabaseKind.allCases)
    func following(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let table = try await store.table(HistoryTests.fields)
            let other = try await store.table(HistoryTests.fields, base: "Other")
            let records = try await store.create(table, ["Name": "a"], ["Name": "b"])
            _ = try await store.create(other, ["Name": "c"])
            _ = try await service.update(
                [RecordUpdate(id: records[0].id, fields: ["Name": "z"])],
                in: table.id,
                context: context
            )
            let all = try await service.changes(in: table.base, after: 0, context: context)
            #expect(all.entries.map(\.sequence) == [1, 3, 4, 6] && all.isLast && all.end == 6)
            for limit in [1, 2, 3, 100] {
                var (sequences, after, isLast) = ([Int64](), Int64(0), false)
                while !isLast {
                    let page = try await service.changes(in: table.base, after: after, limit: limit, context: context)
                    sequences += page.entries.map(\.sequence)
                    (after, isLast) = (page.end, page.isLast)
                }
                #expect(sequences == [1, 3, 4, 6], "by \(limit)")
            }
            let ofTable = try await service.changes(in: other.base, table: other.id, after: 2, context: context)
            #expect(ofTable.entries.map(\.sequence) == [5])
            let ofRecord = try await service.changes(
                in: table.base,
                table: table.id,
                record: records[0].id,
                after: 0,
                context: context
            )
            #expect(ofRecord.entries.map(\.kind) == [.created, .updated])
            #expect(try await service.changes(in: table.base, after: 6, context: context).entries.isEmpty)
            await expectFailure(.invalidOffset) {
                try await service.changes(in: table.base, after: 7, context: context)
            }
            await expectFailure(.notFound) {
                try await service.changes(
                    in: table.base,
                    table: table.id,
                    record: .random(),
                    after: 0,
                    context: context
                )
            }
            _ = try await service.changes.trim(
                to: ChangeRetention(age: .zero, bytes: 0),
                now: store.clock.instant,
                tenant: context.tenant
            )
            await expectFailure(.resynchronise) {
                try await service.changes(in: table.base, after: 0, context: context)
            }
        }
    }
}
