import Access
import Airtable
import Domain
import HTTPTypes
import HummingbirdTesting
import Testing

@testable import Gateway

/// What is hidden in the fixture's base, and one thing of each kind beside it that everybody sees.
struct HiddenSecrets: Sendable {
    let field: Field
    let table: Table
    let base: Base
    /// Kept back by a rule, and by a refusal of its own.
    let record: RecordID
    let refused: RecordID
    /// Of the hidden table.
    let row: RecordID
    /// Not to be seen since it filters by the hidden field, and by a refusal.
    let view: ViewID
    let refusedView: ViewID
    let comment: CommentID
    let webhook: WebhookID
    /// In the log: one that touched hidden cells only, and one that touched a hidden record.
    let transactions: [Int64]
    /// Seen by everybody.
    let shown: (view: ViewID, comment: CommentID, transaction: Int64)

    static let word = "zzhush"
    static let condition = "FIND('zzhush', LOWER({Name}))"

    init(_ fixture: GatewayFixture) async throws {
        let (airtable, owner, elements) = (fixture.airtable, fixture.owner, fixture.elements.id)
        webhook = try await fixture.webhook()
        _ = try await airtable.createField(
            FieldDraft(name: "Notes", type: .multilineText),
            in: elements,
            context: owner
        )
        field = try await airtable.createField(
            FieldDraft(name: "Zzhush field", type: .singleLineText, description: "zzhush description"),
            in: elements,
            context: owner
        )
        let named = [FieldDraft(name: "Name", type: .singleLineText)]
        let draft = TableDraft(name: "Zzhush table", fields: named)
        table = try await airtable.createTable(draft, in: fixture.base.id, context: owner)
        let other = try await airtable.createBase(name: "Zzhush base", tables: [draft], context: owner)
        base = other.base
        let rows = { [RecordDraft(fields: ["Name": "zzhush row of helium, a gas"])] }
        row = try await airtable.create(rows(), in: table.id, context: owner)[0].id
        _ = try await airtable.create(rows(), in: other.tables[0].id, context: owner)
        var formula = FieldDraft(name: "Zzhush formula", type: .formula)
        formula.options.formula = "{Zzhush field}&'!'"
        var lookup = FieldDraft(name: "Zzhush lookup", type: .multipleLookupValues)
        (lookup.recordLink, lookup.fieldInLinkedTable) = ("Zzhush link", "Name")
        let drafts: [FieldDraft] = [.link("Zzhush link", to: "Zzhush table"), lookup, formula]
        for draft in drafts { _ = try await airtable.createField(draft, in: elements, context: owner) }
        func write(_ id: RecordID, _ fields: JSONObject) async throws -> Int64 {
            let before = try await airtable.changes.latestSequence(tenant: owner.tenant)
            _ = try await airtable.update([RecordUpdate(id: id, fields: fields)], in: elements, context: owner)
            return before + 1
        }
        record = fixture.records[2].id
        refused = try await airtable.create(
            [RecordDraft(fields: ["Name": "Zzhush krypton", "Notes": "A zzhush gas."])],
            in: elements,
            context: owner
        )[0].id
        transactions = [
            try await write(
                fixture.records[0].id,
                ["Zzhush field": "zzhush cell", "Zzhush link": [.string(row.description)]]
            ), try await write(record, ["Name": "zzhush record", "Notes": "A zzhush gas in lamps."]),
        ]
        func view(_ draft: ViewDraft) async throws -> ViewID {
            try await airtable.createView(draft, in: elements, context: owner).id
        }
        self.view = try await view(ViewDraft(name: "Zzhush view", filter: "{Zzhush field}='zzhush cell'"))
        refusedView = try await view(ViewDraft(name: "Zzhush refused view"))
        func comment(_ text: String, _ id: RecordID) async throws -> CommentID {
            try await airtable.createComment(text, on: id, in: elements, context: owner).id
        }
        self.comment = try await comment("zzhush comment", record)
        shown = (
            try await view(ViewDraft(name: "Plain")), try await comment("Noble?", fixture.records[0].id),
            try await write(fixture.records[1].id, ["State": "Gas", "Notes": "A metal, of which stars are made."])
        )
    }

    var identifiers: [String] {
        [
            field.id.description, table.id.description, table.primaryField.description, base.id.description,
            record.description, refused.description, row.description, view.description, refusedView.description,
            comment.description,
        ]
    }

    /// - Parameter given: what was asked with, which an answer may say again.
    func leaks(in text: String, given: [String]) -> [String] {
        let asked = given.joined(separator: "\n")
        var leaks = identifiers.filter { text.contains($0) && !asked.contains($0) }
        var rest = text.lowercased()
        for text in given where !text.isEmpty { rest = rest.replacing(text.lowercased(), with: "") }
        if rest.contains(Self.word) { leaks.append(Self.word) }
        return leaks
    }

    /// Keeps it all from `subject` by the routes, as an owner does.
    ///
    /// - Parameter gives: whether the subject is first given what the readers may do, by a role of the tenant's own.
    func grants(to subject: JSONObject, _ fixture: GatewayFixture, gives: Bool) async throws -> [GrantID] {
        let elements = fixture.elements.id
        let path = "/api/v1/permissions"
        func place(_ base: BaseID, _ table: TableID? = nil, _ more: JSONObject = [:]) -> JSONObject {
            var place = more
            place["base"] = .string(base.description)
            if let table { place["table"] = .string(table.description) }
            return place
        }
        func denial(_ permissions: [Permission], _ place: JSONObject, _ more: JSONObject = [:]) -> JSONObject {
            var draft = more
            draft["subject"] = .object(subject)
            draft["effect"] = "deny"
            draft["permissions"] = .array(permissions.map { .string($0.rawValue) })
            draft["resource"] = .object(place)
            return draft
        }
        let here = fixture.base.id
        let refusals = [
            denial([.recordsRead], place(here, elements, ["field": .string(field.id.description)])),
            denial([.schemaRead, .recordsRead], place(here, table.id)),
            denial([.basesRead, .schemaRead, .recordsRead], place(base.id)),
            denial([.schemaRead], place(here, elements, ["view": .string(refusedView.description)])),
            denial([.recordsRead], place(here, elements, ["record": .string(refused.description)])),
            denial([.recordsRead], place(here, elements), ["condition": .string(Self.condition)]),
        ]
        return try await fixture.server().publicApplication.test(.router) { client in
            func made(_ path: String, _ body: JSONObject) async throws -> String {
                let body = JSONValue.object(body).text
                let answer = try await client.send(.post, path, key: fixture.key, body: body)
                #expect(answer.status == 201, "\(body): \(answer.text)")
                return try #require(answer.json?["id"]?.stringValue)
            }
            var allowances: [JSONObject] = []
            if gives {
                let all = HiddenWorld.permissions.map { JSONValue.string($0.rawValue) }
                let role = try await made(path + "/roles", ["name": "Builder", "permissions": .array(all)])
                allowances = [["subject": .object(subject), "role": .string(role), "resource": [:]]]
            }
            var grants: [GrantID] = []
            for draft in allowances + refusals {
                grants.append(try #require(GrantID(try await made(path + "/grants", draft))))
            }
            return grants
        }
    }

    /// Deletes it all, as the owner.
    func delete(_ fixture: GatewayFixture) async throws {
        let (airtable, owner, elements) = (fixture.airtable, fixture.owner, fixture.elements.id)
        try await airtable.delete([record, refused], in: elements, context: owner)
        for view in [view, refusedView] { try await airtable.deleteView(view, in: elements, context: owner) }
        // What is computed goes before what it is computed from.
        let named = try await airtable.table(id: elements, context: owner).fields.filter { $0.name.hasPrefix("Zzhush") }
        for field in named.reversed() { try await airtable.deleteField(field.id, in: elements, context: owner) }
        try await airtable.deleteTable(table.id, context: owner)
        try await airtable.deleteBase(base.id, context: owner)
    }
}
