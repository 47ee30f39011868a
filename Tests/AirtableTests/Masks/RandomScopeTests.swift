import Access
import Domain
import Foundation
import TestSupport
import Testing

@testable import Airtable

/// Random scopes over random bases: what somebody sees is what somebody who may see all sees of a copy from which the hidden
/// things were deleted. `PYAIRTABLE_LONG=1` for many more; `PYAIRTABLE_SEED` repeats one.
@Suite("Random scopes")
struct RandomScopeTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static var seeds: [UInt64] {
        if let seed = environment["PYAIRTABLE_SEED"].flatMap({ UInt64($0) }) { return [seed] }
        return Array(1...(environment["PYAIRTABLE_LONG"] == "1" ? 400 : 8))
    }

    private static let words = ["ant", "bee", "cat", "dog", ""]
    private static let formulas = [
        "{Number}>4", "{Text}='ant'", "NOT({Flag})", "{Choice}='red'", "{Twice}<10", "{Owner}=CURRENT_USER()",
        "OR({Number}=3,{Text}='bee')", "FIND('t',{Text})", "{Text}!=''", "AND({Number}>1,{Number}<8)", "LEN({Text})>2",
        "{Next}='cat'", "{Missing}=1", "{Twice}>=12", "{Choice}!='red'",
    ]

    private struct World {
        let store: StoreFixture
        let tables: [Table]

        init(_ store: StoreFixture, _ random: inout SeededGenerator) async throws {
            self.store = store
            let context = store.context
            func draft(_ name: String, next: String) -> TableDraft {
                TableDraft(
                    name: name,
                    fields: [
                        FieldDraft(name: "Text", type: .singleLineText), FieldDraft(name: "Number", type: .number),
                        FieldDraft(name: "Flag", type: .checkbox),
                        FieldDraft(name: "Choice", type: .singleSelect, choices: ["red", "green"]),
                        FieldDraft(name: "Owner", type: .singleCollaborator),
                        .link("Next", to: next, inverse: "Back"),
                    ]
                )
            }
            let made = try await store.service.createBase(
                name: "Base",
                tables: [draft("One", next: "Two"), draft("Two", next: "Three"), draft("Three", next: "One")],
                context: context
            ).tables
            for table in made {
                var (twice, count, names) = (
                    FieldDraft(name: "Twice", type: .formula), FieldDraft(name: "Count", type: .count),
                    FieldDraft(name: "Names", type: .multipleLookupValues)
                )
                twice.options.formula = "{Number}*2"
                count.recordLink = "Back"
                (names.recordLink, names.fieldInLinkedTable) = ("Next", "Text")
                for draft in [twice, count, names] {
                    _ = try await store.service.createField(draft, in: table.id, context: context)
                }
            }
            for table in made {
                var sum = FieldDraft(name: "Sum", type: .rollup)
                (sum.recordLink, sum.fieldInLinkedTable, sum.options.formula) = ("Next", "Twice", "SUM(values)")
                _ = try await store.service.createField(sum, in: table.id, context: context)
            }
            tables = try await store.service.tables(in: made[0].base, context: context)
            try await fill(&random)
        }

        private func fill(_ random: inout SeededGenerator) async throws {
            let owner = JSONValue.object(["id": .string(store.context.principal.user.description)])
            var ids: [TableID: [RecordID]] = [:]
            for table in tables {
                var drafts: [RecordDraft] = []
                for _ in 0..<12 {
                    var fields: JSONObject = [
                        "Text": .string(RandomScopeTests.words.randomElement(using: &random) ?? ""),
                        "Number": .number(JSONNumber(Int.random(in: 0..<10, using: &random))),
                    ]
                    if Bool.random(using: &random) { fields["Flag"] = true }
                    if Bool.random(using: &random) {
                        fields["Choice"] = .string(Bool.random(using: &random) ? "red" : "green")
                    }
                    if Bool.random(using: &random) { fields["Owner"] = owner }
                    drafts.append(RecordDraft(fields: fields))
                }
                ids[table.id] = try await store.service.create(drafts, in: table.id, context: store.context).map(\.id)
            }
            for table in tables {
                guard let linked = table.field("Next")?.options.linkedTable, let targets = ids[linked] else { continue }
                let updates = (ids[table.id] ?? []).map { id in
                    let some = targets.filter { _ in Int.random(in: 0..<5, using: &random) == 0 }
                    return RecordUpdate(id: id, fields: ["Next": some.asLinks])
                }
                _ = try await store.service.update(updates, in: table.id, context: store.context)
            }
        }

        /// Hidden fields, at times a hidden table, and at times rules.
        func sight(_ random: inout SeededGenerator) -> Reach {
            var sight = Reach()
            for table in tables {
                let fields = table.fields.filter { field in
                    field.id != table.primaryField && Int.random(in: 0..<7, using: &random) == 0
                }
                if !fields.isEmpty { sight.excludedFields[table.id] = Set(fields.map(\.id)) }
                guard Int.random(in: 0..<2, using: &random) == 0 else { continue }
                var rule = store.rule(allowsAll: true)
                func formulas() -> [String] {
                    (0..<Int.random(in: 0...2, using: &random)).compactMap { _ in
                        RandomScopeTests.formulas.randomElement(using: &random)
                    }
                }
                for _ in 0..<Int.random(in: 0...2, using: &random) {
                    rule.allowances.append(.init(formulas: formulas()))
                }
                rule.refusing = formulas()
                sight.rules[table.id] = rule
            }
            if Int.random(in: 0..<3, using: &random) == 0 {
                sight.excludedTables = Set([tables.randomElement(using: &random)?.id].compactMap(\.self))
            }
            return sight
        }

        /// Everything that reading shows.
        func everything(_ service: AirtableService) async throws -> [String] {
            let context = store.context
            var lines: [String] = []
            for table in try await service.tables(in: tables[0].base, context: context) {
                lines.append("\(table.name): \(table.fields.map { "\($0.name) \($0.type)" })")
                lines.append("\(try await service.recordCount(in: table.id, context: context))")
                var queries = RandomScopeTests.formulas.map { RecordQuery(filter: $0) } + [RecordQuery()]
                for field in table.fields {
                    var sorted = RecordQuery()
                    sorted.sort = [.init(field: field.name, isDescending: true)]
                    queries.append(sorted)
                }
                for query in queries { lines += try await listed(query, table, service) }
                let page = try await service.records(in: table.id, page: RecordPageRequest(limit: 5), context: context)
                lines += page.records.map { "\(CellCodec.fields(of: $0, table: table))" }
                let records = try await service.records(
                    in: table.id,
                    page: RecordPageRequest(limit: 1_000),
                    context: context
                )
                let names = try await service.primaryValues(
                    of: records.records.map(\.id),
                    in: table.id,
                    context: context
                )
                lines += names.map { "\($0.key) \($0.value)" }.sorted()
            }
            return lines
        }

        private func listed(_ query: RecordQuery, _ table: Table, _ service: AirtableService) async throws -> [String] {
            var (query, lines) = (query, ["\(query.filter ?? "") \(query.sort.map(\.field))"])
            query.pageSize = 5
            do {
                repeat {
                    let page = try await service.list(query, in: table.id, context: store.context)
                    lines += page.records.map {
                        "\($0.id) \(JSONValue.object(CellCodec.fields(of: $0, table: table)).text)"
                    }
                    query.offset = page.offset
                } while query.offset != nil
            } catch let error as AirtableError {
                lines.append(error.code.rawValue + error.message + (error.hint ?? ""))
            }
            return lines
        }

        /// Deletes what `sight` hides.
        func deleteHidden(_ sight: Reach, masked: AirtableService) async throws {
            let (service, context) = (store.service, store.context)
            let scope = VisibleScope(tenant: context.tenant, sight: sight)
            let widened = try await service.read(context) { _, schema in schema.widening(scope) }
            // Rules first, all of them, while what they look at is there.
            var gone: [(TableID, [RecordID])] = []
            for table in tables where scope.allows(table: table) {
                let request = RecordPageRequest(limit: 1_000)
                let seen = try await masked.records(in: table.id, page: request, context: context).records.map(\.id)
                let all = try await service.records(in: table.id, page: request, context: context).records.map(\.id)
                gone.append((table.id, all.filter { !seen.contains($0) }))
            }
            for (table, ids) in gone { try await service.delete(ids, in: table, context: context) }
            for table in tables where !scope.allows(table: table) {
                try await service.deleteTable(table.id, context: context)
            }
            for table in tables where scope.allows(table: table) {
                for field in widened.hiddenFields(table: table.id) {
                    let left = try await service.table(id: table.id, context: context)
                    guard let field = left.field(id: field),
                        field.type == .multipleRecordLinks || field.id != left.primaryField
                    else { continue }
                    // The other side of a link goes with it: it stays where only this one is hidden.
                    let inverse = field.options.inverseLinkField
                    let isOneSided = field.options.linkedTable.map { linked in
                        inverse.map { !widened.hiddenFields(table: linked).contains($0) } ?? false
                    }
                    if isOneSided == true { continue }
                    try await service.deleteField(field.id, in: table.id, context: context)
                }
            }
        }
    }

    @Test("AUTHZ-04: show what is left when the hidden things are deleted", arguments: DatabaseKind.allCases)
    func equalsCopy(_ kind: DatabaseKind) async throws {
        for seed in Self.seeds {
            try await withStore(kind) { store in
                var random = SeededGenerator(seed: seed)
                let world = try await World(store, &random)
                let sight = world.sight(&random)
                let masked = store.masked(sight)
                let seen = try await world.everything(masked)
                try await world.deleteHidden(sight, masked: masked)
                // Links of which one side is hidden are still there for the owner.
                let scope = VisibleScope(tenant: store.context.tenant, sight: sight)
                let rest = try await store.service.read(store.context) { _, schema in schema.widening(scope) }
                var left = Reach()
                for table in world.tables where scope.allows(table: table) {
                    let hidden = rest.hiddenFields(table: table.id)
                    if !hidden.isEmpty { left.excludedFields[table.id] = hidden }
                }
                let copy = try await world.everything(store.masked(left))
                #expect(seen == copy, "seed \(seed): \(Self.difference(seen, copy))")
            }
        }
    }

    private static func difference(_ left: [String], _ right: [String]) -> String {
        let place = zip(left, right).enumerated().first { $0.element.0 != $0.element.1 }
        guard let place else { return "\(left.count) and \(right.count) lines" }
        return "\(place.element.0) instead of \(place.element.1)"
    }
}
