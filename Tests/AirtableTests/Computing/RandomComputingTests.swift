import Access
import Database
import Domain
import Foundation
import TestSupport
import Testing

@testable import Airtable

/// Whatever is done to a shop, its computed cells are what computing all of them anew gives.
///
/// 500 edits on each database; 10,000 with `PYAIRTABLE_LONG=1`. `PYAIRTABLE_SEED` repeats a run.
@Suite("Computed fields against a full recomputation")
struct RandomComputingTests {
    private static let isLong = ProcessInfo.processInfo.environment["PYAIRTABLE_LONG"] == "1"
    private static let seed = ProcessInfo.processInfo.environment["PYAIRTABLE_SEED"].flatMap { UInt64($0) } ?? 1

    @Test("after each of many random edits", .timeLimit(.minutes(60)), arguments: DatabaseKind.allCases)
    func edits(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            var run = RandomEdits(try await Shop(store.patient()), seed: Self.seed)
            for number in 1...(Self.isLong ? 10_000 : 500) {
                let what = try await run.edit()
                let problems = try await run.shop.differences()
                #expect(problems.isEmpty, "seed \(Self.seed), edit \(number), \(what): \(problems)")
                if !problems.isEmpty { return }
            }
            try await store.expectSound()
            #expect(run.counts.count == RandomEdits.Kind.allCases.count, "\(run.counts)")
        }
    }
}

/// Random edits of a shop: records made, changed, relinked and deleted, choices and fields changed, transactions undone.
struct RandomEdits {
    enum Kind: CaseIterable {
        case create, update, link, delete, upsert, typecast, undo, choice, formula, precision, rename, column
    }

    var shop: Shop
    private var generator: SeededGenerator
    private(set) var counts: [Kind: Int] = [:]

    /// Whether it also changes schemas.
    private let changesSchema: Bool

    init(_ shop: Shop, seed: UInt64, schema: Bool = true) {
        self.shop = shop
        changesSchema = schema
        generator = SeededGenerator(seed: seed)
    }

    private var service: AirtableService { shop.store.service }
    private var context: RequestContext { shop.store.context }

    /// - Returns: what was done.
    mutating func edit() async throws -> String {
        // Schemas change less often than records.
        let kinds =
            Kind.allCases + [.create, .create, .create, .update, .update, .update, .link, .link, .link, .delete, .undo]
        let kind = kinds.randomElement(using: &generator)!
        shop.store.clock.advance(seconds: 1)
        if try await apply(kind) { counts[kind, default: 0] += 1 }
        return "\(kind)"
    }

    private mutating func apply(_ kind: Kind) async throws -> Bool {
        switch kind {
        case .create, .update, .link, .delete, .upsert, .typecast: try await editRecords(kind)
        case .undo: try await undo()
        case .choice, .formula, .precision, .rename, .column: changesSchema ? try await editSchema(kind) : false
        }
    }

    // MARK: Records

    private mutating func editRecords(_ kind: Kind) async throws -> Bool {
        let tables = try await service.tables(in: shop.base, context: context)
        let table = tables.randomElement(using: &generator)!
        let records = try await shop.records()
        let ids = records[table.id]!.map(\.id)
        switch kind {
        case .create:
            // A shop too large would be slow to look through each time.
            guard ids.count < 25 else { return false }
            let drafts = (0..<Int.random(in: 1...3, using: &generator)).map { _ in
                RecordDraft(fields: cells(of: table, records, links: true))
            }
            _ = try await service.create(drafts, in: table.id, context: context)
        case .update, .link:
            guard !ids.isEmpty else { return false }
            let chosen = Array(ids.shuffled(using: &generator).prefix(Int.random(in: 1...4, using: &generator)))
            let updates = chosen.map { id in
                RecordUpdate(id: id, fields: cells(of: table, records, links: kind == .link))
            }
            let isReplacing = Int.random(in: 0..<10, using: &generator) == 0
            _ = try await service.update(updates, in: table.id, replacing: isReplacing, context: context)
        case .delete:
            guard ids.count > 4 else { return false }
            let chosen = ids.shuffled(using: &generator).prefix(Int.random(in: 1...3, using: &generator))
            try await service.delete(Array(chosen), in: table.id, context: context)
        case .upsert:
            let products = tables.first { $0.name == "Products" }!
            let upserts = (0..<2).map { _ in
                RecordUpsert(fields: [
                    "Name": .string(name()), "Price": .number(JSONNumber(Int.random(in: 0...9, using: &generator))),
                ])
            }
            do {
                _ = try await service.upsert(upserts, mergeOn: ["Name"], in: products.id, context: context)
            } catch let error as AirtableError where error.code == .ambiguousMatch { return false }
        default:
            let lines = tables.first { $0.name == "Lines" }!
            guard records[lines.id]!.count < 25 else { return false }
            let quantity = lines.fields.first { $0.name.hasPrefix("Quantity") }!.name
            let draft = RecordDraft(fields: ["Product": .string("made \(name())"), quantity: "3"])
            _ = try await service.create([draft], in: lines.id, typecast: true, context: context)
        }
        return true
    }

    private mutating func name() -> String {
        ["ax", "be", "ce", "de", "é", "", "a,b"].randomElement(using: &generator)!
    }

    private mutating func cells(of table: Table, _ records: [TableID: [Record]], links: Bool) -> JSONObject {
        var cells = JSONObject()
        for field in table.fields where !field.type.isComputed {
            let isLink = field.type == .multipleRecordLinks
            guard Int.random(in: 0..<3, using: &generator) > 0, !isLink || links else { continue }
            cells[field.name] = cell(of: field, records)
        }
        return cells
    }

    private mutating func cell(of field: Field, _ records: [TableID: [Record]]) -> JSONValue {
        if Int.random(in: 0..<6, using: &generator) == 0 { return .null }
        let choices = (field.options.choices ?? []).map(\.name)
        switch field.type {
        case .number, .currency: return .number(JSONNumber(Int.random(in: -2...40, using: &generator)))
        case .checkbox: return .bool(Bool.random(using: &generator))
        case .singleSelect: return choices.randomElement(using: &generator).map { .string($0) } ?? .null
        case .multipleSelects:
            return .array(choices.shuffled(using: &generator).prefix(2).map { .string($0) })
        case .date: return .string("2024-0\(Int.random(in: 1...9, using: &generator))-11")
        case .dateTime: return .string("2024-0\(Int.random(in: 1...9, using: &generator))-11T10:00:00.000Z")
        case .multipleRecordLinks:
            let ids = records[field.options.linkedTable!]!.map(\.id)
            return Array(ids.shuffled(using: &generator).prefix(Int.random(in: 0...4, using: &generator))).links
        default: return .string(name())
        }
    }

    // MARK: History and schema

    private mutating func undo() async throws -> Bool {
        let latest = try await service.changes.latestSequence(tenant: context.tenant)
        let page = try await service.changes.changes(after: max(0, latest - 40), limit: 40, tenant: context.tenant)
        guard let number = page.changes.map(\.transaction).randomElement(using: &generator) else { return false }
        do {
            if case .undone(_?, _) = try await service.undo(transaction: number, context: context) { return true }
        } catch let error as AirtableError where error.code == .notFound { return false }
        return false
    }

    private mutating func editSchema(_ kind: Kind) async throws -> Bool {
        let tables = try await service.tables(in: shop.base, context: context)
        func find(_ table: String, _ field: String) -> (Table, Field) {
            let table = tables.first { $0.name == table }!
            return (table, table.fields.first { $0.name.hasPrefix(field) }!)
        }
        switch kind {
        case .choice:
            let (table, field) = Bool.random(using: &generator) ? find("Customers", "Tier") : find("Products", "Tags")
            try await changeChoice(of: field, in: table)
        case .formula:
            let (table, field) = find("Categories", "Summary")
            let texts = ["{Title} & {Revenue}", "{Below} + {Revenue}", "{Children}", "IF({All}, {Parent}, {Best})"]
            var update = FieldUpdate(options: FieldOptions())
            update.options?.formula = texts.randomElement(using: &generator)
            _ = try await service.updateField(field.id, update, in: table.id, context: context)
        case .precision:
            let (table, field) = find("Products", "Price")
            var update = FieldUpdate(options: FieldOptions())
            update.options?.precision = Int.random(in: 0...4, using: &generator)
            _ = try await service.updateField(field.id, update, in: table.id, context: context)
        case .rename:
            let (table, field) = find("Lines", "Quantity")
            let update = FieldUpdate(name: "Quantity \(Int.random(in: 1...99, using: &generator))")
            _ = try await service.updateField(field.id, update, in: table.id, context: context)
        default:
            // Asked of the schema, since an edit may have ended in the middle.
            let (orders, customers) = (find("Orders", "Label").0, find("Customers", "Name").0)
            let present = [orders.field("Extra"), customers.field("Extras")]
            if let field = present[0] {
                try await service.deleteField(field.id, in: orders.id, context: context)
            }
            if let field = present[1] {
                try await service.deleteField(field.id, in: customers.id, context: context)
            }
            if present == [nil, nil] {
                let extra = ShopBase.formula("Extra", "LEN({Label}) + COUNTA({Products})")
                _ = try await service.createField(extra, in: orders.id, context: context)
                let extras = ShopBase.rollup("Extras", "Orders", "Extra", "MAX(values)")
                _ = try await service.createField(extras, in: customers.id, context: context)
            }
        }
        return true
    }

    private mutating func changeChoice(of field: Field, in table: Table) async throws {
        var choices = field.options.choices!
        var update = FieldUpdate(options: FieldOptions(), deletesChoices: true)
        if choices.count > 2, Bool.random(using: &generator) {
            choices.remove(at: Int.random(in: 0..<choices.count, using: &generator))
        } else if Bool.random(using: &generator) {
            choices.append(
                SelectChoice(id: .random(), name: "choice \(Int.random(in: 1...999_999, using: &generator))")
            )
        } else {
            choices[0].name = "renamed \(Int.random(in: 1...999_999, using: &generator))"
        }
        update.options?.choices = choices
        _ = try await service.updateField(field.id, update, in: table.id, context: context)
    }
}
