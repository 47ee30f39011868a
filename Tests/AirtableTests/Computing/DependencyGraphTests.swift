import Domain
import Formula
import Testing

@testable import Airtable

/// The graph alone: what reads what, in which order, and what is wrong with fields that make no sense.
@Suite("The graph of computed fields")
struct DependencyGraphTests {
    /// Tables as drafts make them, before anything of them is computed.
    static func tables(_ drafts: [TableDraft]) throws -> [Table] {
        var builder = SchemaBuilder(base: .random(), existing: [])
        for draft in drafts { try builder.add(draft) }
        return try builder.finish().newTables
    }

    static func graph(_ drafts: [TableDraft]) throws -> (DependencyGraph, [Table]) {
        let tables = try tables(drafts)
        return (DependencyGraph(tables: tables), tables)
    }

    private func one(_ fields: FieldDraft...) -> [TableDraft] {
        [TableDraft(name: "T", fields: [FieldDraft(name: "Name", type: .singleLineText)] + fields)]
    }

    @Test("each field comes after all that it reads, in whatever order they are drafted")
    func order() throws {
        let (graph, tables) = try Self.graph(
            one(
                ShopBase.formula("C", "{B} & {A}"),
                ShopBase.formula("B", "{A} & 1"),
                ShopBase.formula("A", "{Name}"),
                ShopBase.formula("D", "1")
            )
        )
        let names = graph.fields.map(\.field.name)
        #expect(names == ["A", "D", "B", "C"])
        let name = try #require(tables[0].field("Name"))
        #expect(graph.dependents(of: name.id) == [.init(rank: 0, path: [])])
        #expect(graph.closure(of: [0]) == [0, 2, 3])
        #expect(graph.problems.isEmpty)
    }

    @Test("what is read through links is found with the links that lead there")
    func paths() throws {
        let (graph, tables) = try Self.graph(ShopBase.tables)
        func field(_ table: String, _ name: String) throws -> Field {
            try #require(tables.first { $0.name == table }?.field(name))
        }
        func readers(_ table: String, _ name: String) throws -> Set<String> {
            Set(
                graph.dependents(of: try field(table, name).id).map { dependent in
                    let names = dependent.path.map { id in
                        tables.lazy.flatMap(\.fields).first { $0.id == id }?.name ?? "?"
                    }
                    return (["\(graph.fields[dependent.rank].field.name)"] + names).joined(separator: " < ")
                }
            )
        }
        // Names of products are read by lines, by orders through their lines, and by categories.
        #expect(
            try readers("Products", "Name") == [
                "Product name < Product", "Best < Products", "Listed < Lines < Product",
            ]
        )
        #expect(try readers("Products", "Price") == ["Price < Product"])
        #expect(try readers("Orders", "Lines") == ["Total", "Product names", "Products"])
        #expect(
            try readers("Categories", "Title") == [
                "Category names < Category", "Child titles < Children", "Summary", "Summary < Children",
                "Summary < Parent",
            ]
        )
        // Formulas that ask when their record was changed follow all that people set.
        #expect(try readers("Customers", "Since") == ["Since < Customer", "Changed at", "Tier at"])
        for (rank, field) in graph.fields.enumerated() {
            for source in field.sources { #expect(graph.rank(of: source.field).map { $0 < rank } ?? true) }
        }
    }

    @Test("formulas are kept with identifiers, and say what they name and give")
    func kept() throws {
        let (_, tables) = try Self.graph(ShopBase.tables)
        let lines = try #require(tables.first { $0.name == "Lines" })
        let (amount, quantity, price) = (lines.field("Amount")!, lines.field("Quantity")!, lines.field("Price")!)
        #expect(amount.options.formula == "{\(quantity.id)} * SUM({\(price.id)})")
        #expect(amount.options.referencedFields == [quantity.id, price.id])
        #expect(amount.options.result?.type == .number && amount.options.isValid == true)
        #expect(price.options.result?.type == .currency)
        let orders = try #require(tables.first { $0.name == "Orders" })
        #expect(orders.field("Tier")?.options.result?.type == .singleSelect)
        #expect(orders.field("Products")?.options.result?.type == .multipleRecordLinks)
        #expect(orders.field("Since")?.options.result?.type == .date)
        #expect(orders.field("Listed")?.options.result?.type == .singleLineText)
        #expect(orders.field("Total")?.options.formula == "SUM(values)")
    }

    @Test(
        "a circle is refused where it is closed, and named",
        arguments: [
            (["A": "{A} + 1"], "T.A → T.A"), (["A": "{B}", "B": "{A}"], "T.A → T.B → T.A"),
            (["A": "{B}", "B": "{C} & {Name}", "C": "{A}"], "T.A → T.B → T.C → T.A"),
        ] as [([String: String], String)]
    )
    func circles(formulas: [String: String], path: String) async throws {
        let drafts = formulas.sorted { $0.key < $1.key }.map { ShopBase.formula($0.key, $0.value) }
        let table = TableDraft(name: "T", fields: [FieldDraft(name: "Name", type: .singleLineText)] + drafts)
        let error = await expectFailure(.invalidFieldOptions) { try Self.tables([table]) }
        #expect(error?.message.contains("computed from itself: \(path)") == true, "\(error?.message ?? "")")
    }

    @Test("a circle through links is one too, also where a link leads into its own table")
    func linkedCircles() async {
        let own = [
            TableDraft(
                name: "T",
                fields: [
                    FieldDraft(name: "Name", type: .singleLineText), .link("Up", to: "T", inverse: "Down"),
                    ShopBase.rollup("Sum", "Down", "Sum", "SUM(values)"),
                ]
            )
        ]
        let error = await expectFailure(.invalidFieldOptions) { try Self.tables(own) }
        #expect(error?.message == "Field \"Sum\": it would be computed from itself: T.Sum → T.Sum")
        // The primary value of the linked record reads back.
        let texts = [
            TableDraft(
                name: "A",
                fields: [ShopBase.formula("Name", "\"a\" & {B}"), .link("B", to: "B", inverse: "A")]
            ),
            TableDraft(name: "B", fields: [ShopBase.formula("Name", "\"b\" & {A}")]),
        ]
        let other = await expectFailure(.invalidFieldOptions) { try Self.tables(texts) }
        #expect(other?.message.contains("A.Name → B.Name → A.Name") == true)
    }

    @Test("what only reads a circle is valid, and the circle's fields are not")
    func broken() throws {
        var tables = try Self.tables(
            one(ShopBase.formula("A", "1"), ShopBase.formula("B", "{A}"), ShopBase.formula("C", "{B}"))
        )
        // As no definition would let it come to be.
        tables[0].fields[1].options.formula = "{B}"
        let graph = DependencyGraph(tables: tables)
        #expect(Set(graph.problems.keys) == [tables[0].fields[1].id, tables[0].fields[2].id])
        let shown = graph.completing(tables[0]).fields.map(\.options.isValid)
        #expect(shown == [nil, false, false, true])
    }

    @Test("a formula that is none is refused, with the place and the nearest name")
    func mistakes() async {
        let error = await expectFailure(.invalidFieldOptions) {
            try Self.tables(one(ShopBase.formula("A", "1 + {Nme}")))
        }
        #expect(error?.message.contains("at character 5") == true && error?.message.contains("Name") == true)
        await expectFailure(.invalidFieldOptions) { try Self.tables(one(ShopBase.formula("A", "SUM("))) }
        await expectFailure(.invalidFieldOptions) { try Self.tables(one(ShopBase.button("A", "x", "NOPE(1)"))) }
        let rollup = [
            TableDraft(
                name: "T",
                fields: [
                    FieldDraft(name: "Name", type: .singleLineText), .link("Up", to: "T", inverse: "Down"),
                    ShopBase.rollup("Sum", "Down", "Name", "SUM({Name})"),
                ]
            )
        ]
        await expectFailure(.invalidFieldOptions) { try Self.tables(rollup) }
    }

    @Test("a deleted field makes what names it invalid, not what reads that")
    func deleted() throws {
        var tables = try Self.tables(one(ShopBase.formula("A", "{Name}"), ShopBase.formula("B", "{A}")))
        tables[0].fields.removeFirst()
        let graph = DependencyGraph(tables: tables)
        #expect(graph.problems.keys.map(\.description) == [tables[0].fields[0].id.description])
        #expect(graph.completing(tables[0]).fields.map(\.options.isValid) == [false, true])
    }

    @Test("a chain of thousands of fields is put in order as a short one is")
    func chain() {
        var fields = [Field(id: .random(), name: "F0", type: .number, ordinal: 1)]
        for number in 1...5_000 {
            var field = Field(id: .random(), name: "F\(number)", type: .formula, ordinal: number + 1)
            field.options.formula = "{\(fields[number - 1].id)} + 1"
            fields.append(field)
        }
        let names = fields.map(\.name)
        let base = BaseID.random()
        let table = Table(id: .random(), base: base, name: "T", primaryField: fields[0].id, fields: fields.reversed())
        let graph = DependencyGraph(tables: [table])
        #expect(graph.fields.map(\.field.name) == Array(names.dropFirst()))
        #expect(graph.problems.isEmpty)
    }

    @Test("a formula with NOW changes by itself, and one that only reads it follows")
    func time() throws {
        let (graph, _) = try Self.graph(one(ShopBase.formula("A", "NOW()"), ShopBase.formula("B", "{A}")))
        #expect(graph.fields.map(\.isVolatile) == [true, false])
    }
}
