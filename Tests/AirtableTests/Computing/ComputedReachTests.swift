import Access
import Database
import Domain
import TestSupport
import Testing

@testable import Airtable

/// What computed fields may read, of which types, for whom, and how much of it.
@Suite("What computed fields reach")
struct ComputedReachTests {
    private static let types: [FieldType] = [
        .singleLineText, .number, .checkbox, .singleSelect, .multipleSelects, .date, .dateTime,
        .singleCollaborator, .multipleCollaborators, .multipleAttachments, .barcode, .duration, .autoNumber,
        .createdTime, .createdBy, .aiText,
    ]

    /// A table with a field of each type, and one that looks each of them up.
    private static var tables: [TableDraft] {
        let fields = types.map { type -> FieldDraft in
            type.hasChoices
                ? FieldDraft(name: type.rawValue, type: type, choices: ["a", "b"])
                : FieldDraft(name: type.rawValue, type: type)
        }
        return [
            TableDraft(name: "Far", fields: fields + [ShopBase.button("button", "Go", "\"u\"")]),
            TableDraft(
                name: "Near",
                fields: [FieldDraft(name: "Name", type: .singleLineText), .link("L", to: "Far", inverse: "Back")]
                    + types.map { ShopBase.lookup($0.rawValue, "L", $0.rawValue) }
                    + [ShopBase.lookup("button", "L", "button"), ShopBase.lookup("Back to", "L", "Back")]
            ),
        ]
    }

    @Test("a lookup gives the values of cells of every type, one after the other", arguments: DatabaseKind.allCases)
    func lookups(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let schema = try await store.service.createBase(name: "Base", tables: Self.tables, context: store.context)
            let (far, near) = (schema.tables[0], schema.tables[1])
            func id(_ type: FieldType) -> FieldID { far.field(type.rawValue)!.id }
            let (context, clock) = (store.context, store.clock)
            let choice = far.field("singleSelect")!.options.choices![1].id
            let several = far.field("multipleSelects")!.options.choices!.map(\.id)
            let cells: [FieldID: CellValue] = [
                id(.singleLineText): .text("x"), id(.number): .number(1.5), id(.checkbox): .checked,
                id(.singleSelect): .choice(choice), id(.multipleSelects): .choices(several),
                id(.date): .date(CalendarDate(iso8601: "2024-05-01")!), id(.dateTime): .dateTime(clock.instant),
                id(.singleCollaborator): .collaborator(FieldTypeTests.ada),
                id(.multipleCollaborators): .collaborators([FieldTypeTests.ada, FieldTypeTests.bob]),
                id(.multipleAttachments): .attachments([FieldTypeTests.file]),
                id(.barcode): .barcode(Barcode(text: "12", type: "upce")), id(.duration): .number(90),
                id(.aiText): .aiText(AIText(state: .generated, value: "said")),
            ]
            let (full, empty, record) = try await store.service.change(context) { transaction, schema in
                var session = WriteSession(
                    schema: schema,
                    actor: context.principal.user,
                    now: clock.instant,
                    transaction: transaction
                )
                let full = try session.create(cells.mapValues { $0 }, in: far.id)
                let empty = try session.create([:], in: far.id)
                let record = try session.create([near.field("L")!.id: .links([full, empty])], in: near.id)
                try session.flush()
                return (full, empty, record)
            }
            let shown = try await store.fields(record, near)
            let time = JSONValue.string(CellCodec.timestamp(Instant(milliseconds: clock.instant.milliseconds)))
            let ada = CellCodec.json(of: FieldTypeTests.ada)
            #expect(shown["singleLineText"] == ["x"] && shown["number"] == [1.5] && shown["checkbox"] == [true])
            #expect(shown["singleSelect"] == ["b"] && shown["multipleSelects"] == ["a", "b"])
            #expect(shown["date"] == ["2024-05-01"] && shown["dateTime"] == [time])
            #expect(shown["singleCollaborator"] == [ada])
            #expect(shown["multipleCollaborators"] == [ada, CellCodec.json(of: FieldTypeTests.bob)])
            #expect(shown["multipleAttachments"]?[0]?["filename"] == "a.png")
            #expect(shown["barcode"] == [["text": "12", "type": "upce"]] && shown["duration"] == [90])
            #expect(
                shown["autoNumber"] == [1, 2] && shown["createdTime"] == [time, time] && shown["aiText"] == ["said"]
            )
            #expect(shown["createdBy"]?.arrayValue?.count == 2 && shown["button"] == ["Go", "Go"])
            #expect(shown["Back to"] == [record, record].links)
            #expect(try await store.fields(full, far)["Back"] == [record].links)
            #expect(try await store.fields(empty, far)["Back"] == [record].links)
            try await store.expectSound()
        }
    }

    @Test("what is computed from a hidden field is hidden with it, however far away")
    func hidden() async throws {
        try await withStore(.sqlite) { store in
            let shop = try await Shop(store)
            let product = try await shop.create("Products", ["Name": "Saw", "Price": 10])
            let line = try await shop.create("Lines", ["Quantity": 3, "Product": [product].links])
            let (products, lines) = (try await shop.table("Products"), try await shop.table("Lines"))
            let scope = VisibleScope(
                tenant: store.context.tenant,
                hidden: [products.id: [products.field("Price")!.id]]
            )
            let listed = try await store.service.list(RecordQuery(), in: lines.id, scope: scope, context: store.context)
            let names = Set(listed.fields.map(\.name))
            #expect(names.isDisjoint(with: ["Price", "Amount"]) && names.isSuperset(of: ["Name", "Product name"]))
            let price = lines.field("Price")!.id
            #expect(listed.records.map(\.id) == [line] && listed.records[0].cells[price] == nil)
            for formula in ["{Amount} > 1", "{Price} > 1"] {
                let query = RecordQuery(filter: formula)
                await expectFailure(.invalidFilter) {
                    try await store.service.list(query, in: lines.id, scope: scope, context: store.context)
                }
            }
            let revenue = try await store.service.read(store.context) { _, schema in
                schema.widening(scope).hiddenFields(table: products.id)
            }
            #expect(revenue == Set(["Price", "Revenue", "Share"].map { products.field($0)!.id }))
        }
    }

    @Test("a write that too many cells would follow is refused whole", arguments: DatabaseKind.allCases)
    func bound(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let shop = try await Shop(store)
            let product = try await shop.create("Products", ["Name": "Saw", "Price": 10])
            let line = try await shop.create("Lines", ["Quantity": 3, "Product": [product].links])
            let (context, clock) = (store.context, store.clock)
            let products = try await shop.table("Products")
            await expectFailure(.tooLarge) {
                try await store.service.change(context) { transaction, schema in
                    var session = WriteSession(
                        schema: schema,
                        actor: context.principal.user,
                        now: clock.instant,
                        transaction: transaction
                    )
                    session.computedCellsMax = 1
                    try session.load([product], in: products.id)
                    try session.set([products.field("Price")!.id: .number(20)], of: product, in: products.id)
                    try session.flush()
                }
            }
            #expect(try await shop.cell(product, "Products", "Price") == 10)
            #expect(try await shop.cell(line, "Lines", "Amount") == 30)
        }
    }

    @Test("a base that somebody else computes keeps its cells as they are given", arguments: DatabaseKind.allCases)
    func asGiven(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let table = try await store.table([
                FieldDraft(name: "Name", type: .singleLineText), ShopBase.formula("Text", "{Name} & \"!\""),
            ])
            let text = try #require(table.field("Text")).id
            let (clock, context) = (store.clock, store.context)
            let id = try await store.service.change(context) { transaction, schema in
                var session = WriteSession(
                    schema: schema,
                    actor: context.principal.user,
                    now: clock.instant,
                    computing: .asGiven,
                    transaction: transaction
                )
                let id = try session.create([text: .computed(.text("theirs"))], in: table.id)
                try session.flush()
                return id
            }
            #expect(try await store.fields(id, table) == ["Text": "theirs"])
        }
    }
}
