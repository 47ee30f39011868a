import Access
import Database
import Domain
import TestSupport
import Testing

@testable import Airtable

/// Computed cells in a store: they are right when a write returns, and tell of themselves in the log.
@Suite("Computed fields")
struct ComputedFieldTests {
    @Test("a made record has its computed cells, in the answer as in the store", arguments: DatabaseKind.allCases)
    func made(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let table = try await store.table([
                FieldDraft(name: "Name", type: .singleLineText), FieldDraft(name: "n", type: .number),
                FieldDraft(name: "ok", type: .checkbox), FieldDraft(name: "day", type: .date),
                ShopBase.formula("Text", "{Name} & \"!\""), ShopBase.formula("Ratio", "1 / {n}"),
                ShopBase.formula("Truth", "{n} > 1"), ShopBase.formula("Next", "DATEADD({day}, 1, \"day\")"),
                ShopBase.formula("Moment", "DATEADD({day}, 90, \"minutes\")"), ShopBase.formula("Bad", "ERROR()"),
                ShopBase.formula("Empty", "IF({ok}, \"yes\")"), ShopBase.formula("ID", "RECORD_ID()"),
                ShopBase.button("Open", "Go", "\"https://h/\" & {Name}"), ShopBase.button("Shut", "No", "ERROR()"),
                ShopBase.formula("Other", "{Text} & {Ratio}"), ShopBase.formula("Not", "0 / {n} + {n}"),
            ])
            let record = try await store.create(table, ["Name": "x", "n": 0, "day": "2024-02-28"])[0]
            let expected: JSONValue = [
                "Name": "x", "n": 0, "day": "2024-02-28", "Text": "x!", "Ratio": ["specialValue": "Infinity"],
                "Truth": 0, "Next": "2024-02-29", "Moment": "2024-02-28T01:30:00.000Z", "Bad": ["error": "#ERROR!"],
                "ID": .string(record.id.description), "Open": ["label": "Go", "url": "https://h/x"],
                "Shut": ["label": "No", "url": nil], "Other": "x!Infinity", "Not": ["specialValue": "NaN"],
            ]
            #expect(JSONValue.object(CellCodec.fields(of: record, table: table)) == expected)
            #expect(try await store.fields(record.id, table) == expected)
            _ = try await store.service.update(
                [RecordUpdate(id: record.id, fields: ["n": 2, "ok": true])],
                in: table.id,
                context: store.context
            )
            let fields = try await store.fields(record.id, table)
            #expect(fields["Ratio"] == 0.5 && fields["Truth"] == 1 && fields["Empty"] == "yes")
            #expect(fields["Not"] == 2 && fields["Other"] == "x!0.5")
            try await store.expectSound()
        }
    }

    @Test("a change reaches whatever reads it, over links there and back", arguments: DatabaseKind.allCases)
    func reach(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let shop = try await Shop(store)
            let category = try await shop.create("Categories", ["Title": "Tools"])
            let below = try await shop.create("Categories", ["Title": "Saws", "Parent": [category].links])
            let product = try await shop.create("Products", ["Name": "Saw", "Price": 10, "Category": [below].links])
            let customer = try await shop.create("Customers", ["Name": "ada", "Tier": "silver", "Since": "2020-01-02"])
            let order = try await shop.create("Orders", ["Note": "first", "Customer": [customer].links])
            let line = try await shop.create(
                "Lines",
                ["Quantity": 3, "Order": [order].links, "Product": [product].links]
            )
            try await shop.expectRight()
            #expect(try await shop.cell(line, "Lines", "Amount") == 30)
            #expect(try await shop.cell(customer, "Customers", "Spent") == 30)
            #expect(try await shop.cell(customer, "Customers", "Labels") == ["first-1"])
            #expect(try await shop.cell(customer, "Customers", "Bought") == ["Saw"])
            #expect(try await shop.cell(category, "Categories", "Below") == 30)
            #expect(try await shop.cell(order, "Orders", "Tier") == ["silver"])
            #expect(try await shop.cell(order, "Orders", "Since") == ["2020-01-02"])
            #expect(try await shop.cell(order, "Orders", "Products") == [product].links)
            #expect(try await shop.cell(order, "Orders", "Listed") == "Saw")
            #expect(try await shop.cell(customer, "Customers", "Big") == "silver/1")
            #expect(
                try await shop.cell(customer, "Customers", "Open") == ["label": "Go", "url": "https://h/silver%2F1"]
            )

            // Four tables away.
            try await shop.set(product, "Products", ["Price": 100, "Name": "Axe"])
            #expect(try await shop.cell(category, "Categories", "Below") == 300)
            #expect(try await shop.cell(customer, "Customers", "Big") == "ADA/1")
            #expect(try await shop.cell(customer, "Customers", "Bought kinds") == ["Axe"])
            #expect(try await shop.cell(order, "Orders", "Listed") == "Axe")
            try await shop.set(customer, "Customers", ["Tier": "gold"])
            #expect(try await shop.cell(customer, "Customers", "Spent") == 150)
            try await shop.expectRight()

            // A relinked line takes its amount along; a deleted one takes it away.
            let other = try await shop.create("Orders", ["Note": "second", "Customer": [customer].links])
            try await shop.set(line, "Lines", ["Order": [other].links])
            #expect(try await shop.cell(order, "Orders", "Total") == 0)
            #expect(try await shop.cell(other, "Orders", "Total") == 300)
            try await shop.expectRight()
            try await store.service.delete([line], in: shop.table("Lines").id, context: store.context)
            #expect(try await shop.cell(category, "Categories", "Below") == 0)
            #expect(try await shop.cell(customer, "Customers", "Bought") == .null)
            try await shop.expectRight()
            try await store.expectSound()
        }
    }

    @Test(
        "what follows from a write is told in its transaction, and is no change of its own",
        arguments: DatabaseKind.allCases
    )
    func log(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let schema = try await store.service.createBase(
                name: "Base",
                tables: [
                    TableDraft(
                        name: "A",
                        fields: [
                            FieldDraft(name: "Name", type: .singleLineText), .link("B", to: "B", inverse: "A"),
                            ShopBase.lookup("Names", "B", "Name"), FieldDraft(name: "When", type: .lastModifiedTime),
                        ]
                    ),
                    TableDraft(name: "B", fields: [FieldDraft(name: "Name", type: .singleLineText)]),
                ],
                context: store.context
            )
            let (first, second) = (schema.tables[0], schema.tables[1])
            let target = try await store.create(second, ["Name": "x"])[0]
            let record = try await store.create(first, ["B": [target.id].links])[0]
            let before = try await store.fields(record.id, first)
            store.clock.advance(seconds: 60)
            _ = try await store.service.update(
                [RecordUpdate(id: target.id, fields: ["Name": "y"])],
                in: second.id,
                context: store.context
            )
            let changes = try await store.allChanges().suffix(2).map { $0 }
            #expect(changes.map(\.transaction) == [changes[0].sequence, changes[0].sequence])
            #expect(changes.map(\.isDerived) == [false, true])
            let names = try #require(first.field("Names")).id
            guard case .updated(let old, let new) = changes[1].event else {
                Issue.record("\(changes[1].event)")
                return
            }
            #expect(old.cells[names] == .computed(.list([.text("x")])))
            #expect(new.cells[names] == .computed(.list([.text("y")])))
            #expect(try await store.fields(record.id, first)["When"] == before["When"])

            // A cell that comes out as it was leads no further: nothing is written, nothing is told.
            let latest = try await store.service.changes.latestSequence(tenant: store.context.tenant)
            _ = try await store.service.update(
                [RecordUpdate(id: target.id, fields: ["Name": "y"])],
                in: second.id,
                context: store.context
            )
            #expect(try await store.service.changes.latestSequence(tenant: store.context.tenant) == latest)
        }
    }

    @Test("an undo takes back what was written, and what followed follows", arguments: DatabaseKind.allCases)
    func undo(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let shop = try await Shop(store)
            let product = try await shop.create("Products", ["Name": "Saw", "Price": 10])
            let line = try await shop.create("Lines", ["Quantity": 3, "Product": [product].links])
            try await shop.set(product, "Products", ["Price": 20])
            let number = try await store.allChanges().last!.transaction
            #expect(try await shop.cell(product, "Products", "Revenue") == 60)
            // The line's own work since then stands in nobody's way.
            try await shop.set(line, "Lines", ["Quantity": 4])
            #expect(
                try await store.service.undo(transaction: number, context: store.context)
                    == .undone(
                        transaction: try await store.allChanges().last { !$0.isDerived }!.transaction,
                        records: 1
                    )
            )
            #expect(try await shop.cell(product, "Products", "Revenue") == 40)
            // A record that comes back has its cells made anew.
            try await store.service.delete([line], in: shop.table("Lines").id, context: store.context)
            let deletion = try await store.allChanges().last { !$0.isDerived }!.transaction
            try await shop.set(product, "Products", ["Price": 1])
            guard case .undone = try await store.service.undo(transaction: deletion, context: store.context) else {
                Issue.record("refused")
                return
            }
            #expect(try await shop.cell(line, "Lines", "Amount") == 4)
            #expect(try await shop.cell(product, "Products", "Revenue") == 4)
            try await shop.expectRight()
        }
    }

    @Test(
        "a record that is gone stands in the way of no undo that only its computed cells followed",
        arguments: DatabaseKind.allCases
    )
    func undoBesideDeleted(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let shop = try await Shop(store)
            let product = try await shop.create("Products", ["Name": "Saw", "Price": 10])
            let line = try await shop.create("Lines", ["Quantity": 3, "Product": [product].links])
            try await shop.set(product, "Products", ["Price": 20])
            let number = try await store.allChanges().last!.transaction
            try await store.service.delete([line], in: shop.table("Lines").id, context: store.context)
            guard
                case .undone(_, let records) = try await store.service.undo(transaction: number, context: store.context)
            else {
                Issue.record("refused")
                return
            }
            #expect(records == 1)
            #expect(try await shop.cell(product, "Products", "Price") == 10)
        }
    }

    @Test(
        "a field made later fills the records that are there, and tells to read them anew",
        arguments: DatabaseKind.allCases
    )
    func later(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let table = try await store.table([
                FieldDraft(name: "Name", type: .singleLineText), FieldDraft(name: "n", type: .number),
            ])
            var ids: [RecordID] = []
            // More than a page.
            for start in [0, 700] {
                let drafts = (start..<(start + 700)).map { RecordDraft(fields: ["n": .number(JSONNumber($0))]) }
                ids += try await store.service.create(drafts, in: table.id, context: store.context).map(\.id)
            }
            let made = try await store.service.createField(
                ShopBase.formula("Double", "{n} * 2"),
                in: table.id,
                context: store.context
            )
            for place in [0, 999, 1_000, 1_399] {
                let record = try await store.service.record(ids[place], in: table.id, context: store.context)
                #expect(record.cells[made.id] == .computed(.number(Double(place) * 2)))
            }
            let changes = try await store.allChanges().suffix(2).map { $0 }
            #expect(changes[0].schemaChange == .fieldCreated(made))
            #expect(changes[1].event == .imported && changes[1].isDerived)
            #expect(changes[0].transaction == changes[1].transaction)
            let page = try await store.service.history(in: table.base, context: store.context)
            #expect(page.entries.first?.kind == .schemaChanged, "people are not told of it")

            let update = FieldUpdate(options: made.options.with { $0.formula = "{Double}" })
            await expectFailure(.invalidFieldOptions) {
                try await store.service.updateField(made.id, update, in: table.id, context: store.context)
            }
            let other = FieldUpdate(options: made.options.with { $0.formula = "{n} & \"\"" })
            let changed = try await store.service.updateField(made.id, other, in: table.id, context: store.context)
            #expect(changed.options.result?.type == .singleLineText)
            let record = try await store.service.record(ids[1_000], in: table.id, context: store.context)
            #expect(record.cells[made.id] == .computed(.text("1000")))
            try await store.expectSound()
        }
    }

    @Test(
        "a deleted field leaves errors where formulas named it, and nothing where links led to it",
        arguments: DatabaseKind.allCases
    )
    func deleted(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let shop = try await Shop(store)
            let product = try await shop.create("Products", ["Name": "Saw", "Price": 10])
            let line = try await shop.create("Lines", ["Quantity": 3, "Product": [product].links])
            let products = try await shop.table("Products")
            try await store.service.deleteField(products.field("Price")!.id, in: products.id, context: store.context)
            let lines = try await shop.table("Lines")
            #expect(lines.field("Price")?.options.isValid == false)
            #expect(lines.field("Amount")?.options.isValid == true)
            #expect(try await shop.cell(line, "Lines", "Price") == .null)
            #expect(try await shop.cell(line, "Lines", "Amount") == 0)
            try await store.service.deleteField(lines.field("Quantity")!.id, in: lines.id, context: store.context)
            #expect(try await shop.cell(line, "Lines", "Amount") == ["error": "#ERROR!"])
            // What reads an error is one; a rollup that lost its field says so.
            #expect(try await shop.cell(product, "Products", "Revenue") == ["error": "#ERROR!"])
            #expect(try await shop.cell(product, "Products", "Sold") == ["error": "#ERROR!"])
            #expect(try await shop.table("Lines").field("Amount")?.options.isValid == false)
            try await shop.expectRight()
            try await store.expectSound()
        }
    }

    @Test(
        "choices are read by their names, and renaming or deleting one reaches who reads it",
        arguments: DatabaseKind.allCases
    )
    func choices(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let shop = try await Shop(store)
            let customer = try await shop.create("Customers", ["Name": "ada", "Tier": "silver"])
            let order = try await shop.create("Orders", ["Note": "n", "Customer": [customer].links])
            let customers = try await shop.table("Customers")
            let tier = try #require(customers.field("Tier"))
            var choices = tier.options.choices!
            choices[1].name = "bronze"
            let update = FieldUpdate(options: FieldOptions().with { $0.choices = choices })
            _ = try await store.service.updateField(tier.id, update, in: customers.id, context: store.context)
            #expect(try await shop.cell(order, "Orders", "Tier") == ["bronze"])
            #expect(try await shop.cell(customer, "Customers", "Big") == "bronze/1")
            let shown = try await shop.table("Orders").field("Tier")?.options.result?.options.choices?.map(\.name)
            #expect(shown == ["gold", "bronze", "none"])
            try await store.service.deleteChoice(choices[1].id, of: tier.id, in: customers.id, context: store.context)
            #expect(try await shop.cell(order, "Orders", "Tier") == .null)
            #expect(try await shop.cell(customer, "Customers", "Big") == "/1")
            try await shop.expectRight()
        }
    }

    @Test(
        "imported rows are there with their computed cells, and who reads them has followed",
        arguments: DatabaseKind.allCases
    )
    func imported(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let shop = try await Shop(store)
            let product = try await shop.create("Products", ["Name": "Saw", "Price": 10])
            let lines = try await shop.table("Lines")
            let imports = store.service.imports
            let session = try await imports.begin(
                .appending(shop.base, tables: [lines.id]),
                tables: [
                    TableDraft(
                        name: "New",
                        fields: [
                            FieldDraft(name: "Name", type: .singleLineText), ShopBase.formula("Up", "UPPER({Name})"),
                        ]
                    )
                ],
                owner: "test",
                context: store.context
            )
            let (quantity, link) = (lines.field("Quantity")!.id, lines.field("Product")!.id)
            let row = ImportRow(cells: [quantity: .number(4), link: .links([product])])
            try await imports.insertRows([row], into: lines.id, of: session, context: store.context)
            let new = try #require(session.tables.first { $0.table.name == "New" }).table
            let other = ImportRow(cells: [new.field("Name")!.id: .text("x")])
            try await imports.insertRows([other], into: new.id, of: session, context: store.context)
            _ = try await imports.publish(session, context: store.context)
            #expect(try await shop.cell(row.id, "Lines", "Amount") == 40)
            #expect(try await shop.cell(product, "Products", "Revenue") == 40)
            #expect(try await shop.cell(other.id, "New", "Up") == "X")
            // Products changed with their lines, in two ways: they are announced once.
            let changes = try await store.allChanges().filter { $0.event == .imported }.map(\.table)
            #expect(Set(changes).count == changes.count && changes.contains(lines.id))
            try await shop.expectRight()
            try await store.expectSound()
        }
    }

    @Test("a record that typecasting makes has its computed cells too", arguments: DatabaseKind.allCases)
    func typecast(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let shop = try await Shop(store)
            let lines = try await shop.table("Lines")
            let draft = RecordDraft(fields: ["Product": "Drill", "Quantity": "2"])
            let line = try await store.service.create([draft], in: lines.id, typecast: true, context: store.context)[0]
            #expect(try await shop.cell(line.id, "Lines", "Product name") == "Drill")
            guard case .links(let ids)? = line.cells[lines.field("Product")!.id] else {
                Issue.record("no link")
                return
            }
            #expect(try await shop.cell(ids[0], "Products", "Sold") == 2)
            try await shop.expectRight()
        }
    }
}

extension FieldOptions {
    func with(_ change: (inout FieldOptions) -> Void) -> FieldOptions {
        var options = self
        change(&options)
        return options
    }
}
