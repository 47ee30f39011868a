import Domain
import Testing

@testable import Airtable

/// Five linked tables with formulas over rollups over lookups, there and back.
enum ShopBase {
    static func formula(_ name: String, _ text: String) -> FieldDraft {
        var draft = FieldDraft(name: name, type: .formula)
        draft.options.formula = text
        return draft
    }

    static func rollup(_ name: String, _ link: String, _ field: String, _ text: String?) -> FieldDraft {
        var draft = FieldDraft(name: name, type: .rollup)
        (draft.recordLink, draft.fieldInLinkedTable, draft.options.formula) = (link, field, text)
        return draft
    }

    static func lookup(_ name: String, _ link: String, _ field: String) -> FieldDraft {
        var draft = FieldDraft(name: name, type: .multipleLookupValues)
        (draft.recordLink, draft.fieldInLinkedTable) = (link, field)
        return draft
    }

    static func count(_ name: String, _ link: String) -> FieldDraft {
        var draft = FieldDraft(name: name, type: .count)
        draft.recordLink = link
        return draft
    }

    static func button(_ name: String, _ label: String, _ text: String) -> FieldDraft {
        var draft = FieldDraft(name: name, type: .button)
        (draft.options.label, draft.options.formula) = (label, text)
        return draft
    }

    static func watching(_ name: String, _ field: String) -> FieldDraft {
        var draft = FieldDraft(name: name, type: .lastModifiedTime)
        draft.watchedFields = [field]
        return draft
    }

    static let tables: [TableDraft] = [
        TableDraft(
            name: "Customers",
            fields: [
                FieldDraft(name: "Name", type: .singleLineText),
                FieldDraft(name: "Tier", type: .singleSelect, choices: ["gold", "silver", "none"]),
                FieldDraft(name: "Since", type: .date), FieldDraft(name: "Active", type: .checkbox),
                rollup("Spent", "Orders", "Discounted", "SUM(values)"),
                formula("Big", "IF({Spent} > 100, UPPER({Name}), {Tier}) & \"/\" & {Order count}"),
                lookup("Labels", "Orders", "Label"), lookup("Bought", "Orders", "Product names"),
                count("Order count", "Orders"), button("Open", "Go", "\"https://h/\" & ENCODE_URL_COMPONENT({Big})"),
                formula("Bought kinds", "ARRAYUNIQUE({Bought})"), FieldDraft(name: "Changed", type: .lastModifiedTime),
                formula("Changed at", "DATETIME_FORMAT(LAST_MODIFIED_TIME(), \"X\")"), watching("Tier changed", "Tier"),
                formula("Tier at", "LAST_MODIFIED_TIME({Tier})"),
            ]
        ),
        TableDraft(
            name: "Orders",
            fields: [
                formula("Label", "{Note} & \"-\" & {Number}"), FieldDraft(name: "Number", type: .autoNumber),
                FieldDraft(name: "Note", type: .singleLineText), FieldDraft(name: "Day", type: .dateTime),
                .link("Customer", to: "Customers", inverse: "Orders"),
                rollup("Total", "Lines", "Amount", "SUM(values)"),
                lookup("Tier", "Customer", "Tier"),
                formula("Discounted", "IF(ARRAYJOIN({Tier}) = \"gold\", {Total} * 0.5, {Total})"),
                lookup("Product names", "Lines", "Product name"), formula("For", "\"for \" & {Customer}"),
                lookup("Products", "Lines", "Product"), formula("Listed", "ARRAYJOIN({Products}, \"+\")"),
                formula("Late", "IF({Day}, DATETIME_DIFF({Day}, \"2024-01-01\", \"days\"))"),
                lookup("Since", "Customer", "Since"),
                formula("Made", "DATETIME_FORMAT(CREATED_TIME(), \"YYYY\") & RECORD_ID()"),
            ]
        ),
        TableDraft(
            name: "Lines",
            fields: [
                FieldDraft(name: "Name", type: .singleLineText), FieldDraft(name: "Quantity", type: .number),
                .link("Order", to: "Orders", inverse: "Lines"), .link("Product", to: "Products", inverse: "Lines"),
                lookup("Price", "Product", "Price"), formula("Product name", "{Product} & \"\""),
                formula("Amount", "{Quantity} * SUM({Price})"), lookup("Labels", "Product", "Category names"),
            ]
        ),
        TableDraft(
            name: "Products",
            fields: [
                FieldDraft(name: "Name", type: .singleLineText), FieldDraft(name: "Price", type: .currency),
                FieldDraft(name: "Tags", type: .multipleSelects, choices: ["new", "old", "hot"]),
                .link("Category", to: "Categories", inverse: "Products"),
                rollup("Sold", "Lines", "Quantity", "SUM(values)"), rollup("Revenue", "Lines", "Amount", "SUM(values)"),
                lookup("Category names", "Category", "Title"),
                formula("Share", "ROUND({Revenue} / {Sold}, 2)"),
            ]
        ),
        TableDraft(
            name: "Categories",
            fields: [
                FieldDraft(name: "Title", type: .singleLineText),
                .link("Parent", to: "Categories", inverse: "Children"),
                rollup("Revenue", "Products", "Revenue", "SUM(values)"),
                rollup("Below", "Children", "Revenue", "SUM(values)"),
                rollup("Best", "Products", "Name", "ARRAYJOIN(ARRAYUNIQUE(values), \" | \")"),
                rollup("Tags", "Products", "Tags", "ARRAYJOIN(ARRAYUNIQUE(ARRAYFLATTEN(values)))"),
                lookup("Child titles", "Children", "Title"), rollup("All", "Products", "Sold", "COUNTALL(values)"),
                rollup("Customers", "Products", "Lines", "COUNTA(ARRAYFLATTEN(values))"),
                formula("Summary", "{Title} & \": \" & {Revenue} & \" of \" & {Children} & \" and \" & {Parent}"),
            ]
        ),
    ]
}

/// The shop in a store, its tables by name.
struct Shop: Sendable {
    let store: StoreFixture
    let base: BaseID

    init(_ store: StoreFixture) async throws {
        self.store = store
        base = try await store.service.createBase(name: "Shop", tables: ShopBase.tables, context: store.context).base.id
    }

    init(_ store: StoreFixture, base: BaseID) { (self.store, self.base) = (store, base) }

    func table(_ name: String) async throws -> Table {
        try await store.service.table(name, in: base, context: store.context)
    }

    func create(_ table: String, _ fields: JSONObject) async throws -> RecordID {
        try await store.create(self.table(table), fields)[0].id
    }

    func set(_ id: RecordID, _ table: String, _ fields: JSONObject) async throws {
        _ = try await store.service.update(
            [RecordUpdate(id: id, fields: fields)],
            in: self.table(table).id,
            context: store.context
        )
    }

    /// One cell in the shape of the API; null when it is empty.
    func cell(_ id: RecordID, _ table: String, _ field: String) async throws -> JSONValue {
        try await store.fields(id, self.table(table))[field] ?? .null
    }

    /// Every record of the base, by table.
    func records() async throws -> [TableID: [Record]] {
        var records: [TableID: [Record]] = [:]
        for table in try await store.service.tables(in: base, context: store.context) {
            let page = try await store.service.records(
                in: table.id,
                page: RecordPageRequest(limit: 1_000),
                context: store.context
            )
            #expect(page.next == nil, "a page holds the whole table")
            records[table.id] = page.records
        }
        return records
    }

    /// What a full recomputation gives otherwise than the store has it.
    func differences(now: Instant? = nil) async throws -> [String] {
        let tables = try await store.service.tables(in: base, context: store.context)
        let now = now ?? store.clock.instant
        return ReferenceComputer(tables: tables, records: try await records(), now: now).differences()
    }

    func expectRight(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let problems = try await differences()
        #expect(problems.isEmpty, "\(problems)", sourceLocation: sourceLocation)
    }
}

extension [RecordID] {
    /// A cell that links to these.
    var links: JSONValue { .array(map { .string($0.description) }) }
}
