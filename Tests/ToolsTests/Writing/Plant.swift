import Access
import Airtable
import Domain
import Foundation
import TestSupport
import Testing

@testable import Tools

/// Two tables that have every kind of cell, with links between them and inside one, and what is computed over these.
struct Plant: Sendable {
    let world: WritingFixture
    let base: Base
    let crews: Table
    let jobs: Table
    let files: [String]

    /// What a table holds, but for the times of changes.
    struct Contents: Equatable {
        var fields: [Field]
        var order: [RecordID]
        var created: [RecordID: Instant]
        var cells: [RecordID: JSONObject]

        func id(_ name: String) -> RecordID? {
            cells.first { $0.value["Key"]?.stringValue == name || $0.value["Name"]?.stringValue == name }?.key
        }
    }

    func dump() async throws -> [String: Contents] {
        var result: [String: Contents] = [:]
        for table in try await world.airtable.tables(in: base.id, context: world.context) {
            var fields = table.fields
            for place in fields.indices { fields[place].options.choices = nil }
            var contents = Contents(fields: fields, order: [], created: [:], cells: [:])
            for record in try await records(table) {
                contents.order.append(record.id)
                contents.created[record.id] = record.createdTime
                var cells = CellCodec.fields(of: record, table: table)
                cells["Changed"] = nil
                contents.cells[record.id] = cells
            }
            result[table.name] = contents
        }
        return result
    }

    func changedTimes() async throws -> [RecordID: Instant] {
        let field = try #require(jobs.field("Changed")).id
        var times: [RecordID: Instant] = [:]
        for record in try await records(jobs) {
            if case .dateTime(let time)? = record.cells[field] { times[record.id] = time }
        }
        return times
    }

    private func records(_ table: Table) async throws -> [Record] {
        var records: [Record] = []
        var cursor: RecordCursor?
        repeat {
            let request = RecordPageRequest(limit: 1_000, after: cursor)
            let page = try await world.airtable.records(in: table.id, page: request, context: world.context)
            records += page.records
            cursor = page.next
        } while cursor != nil
        return records
    }

    func expectSame(_ left: [String: Contents], _ right: [String: Contents]) {
        #expect(left.keys.sorted() == right.keys.sorted())
        for (table, contents) in left {
            guard let other = right[table] else { continue }
            #expect(contents.fields == other.fields, "\(table)")
            #expect(contents.order == other.order, "\(table)")
            #expect(contents.created == other.created, "\(table)")
            for (id, cells) in contents.cells where other.cells[id] != cells {
                Issue.record("\(table): \(cells) is not \(other.cells[id] ?? [:])")
                break
            }
        }
    }

    /// Every field that people write is another in some record; what is computed has followed.
    func expectChanged(_ before: [String: Contents], _ after: [String: Contents]) {
        for (table, fields) in [
            ("Jobs", jobs.fields.map(\.name)), ("Crews", ["Jobs", "Hours", "Jobs count", "States"]),
        ] {
            guard let old = before[table], let new = after[table] else { continue }
            for field in fields where !["Key", "No", "Made", "Maker", "Changer", "Changed", "Money"].contains(field) {
                let changed = old.order.filter { old.cells[$0]?[field] != new.cells[$0]?[field] }
                #expect(!changed.isEmpty, "\(table).\(field)")
            }
        }
    }

    func expectSound() async throws {
        let report = try await world.airtable.verify(context: world.context)
        #expect(report.isSound, "\(report.problems)")
    }

    /// Another owner of the tenant.
    func colleague() async throws -> RequestContext {
        let user = try await world.access.createUser(name: "Bob", role: .owner, context: world.context).id
        let context = world.context
        return RequestContext(
            id: "bob",
            principal: Principal(user: user, key: nil, permissions: context.principal.permissions),
            tenant: context.tenant,
            deadline: context.deadline,
            origin: .http,
            logger: context.logger
        )
    }

    // MARK: Writing

    /// The call that changes all jobs, and makes those up to `count`.
    func upsert(_ count: Int) async throws -> JSONObject {
        let present = try await records(jobs).map(\.id)
        let records = (0..<count).map { number -> JSONValue in
            let isNew = number >= present.count
            var cells: JSONObject = ["Key": .string("k\(number)")]
            cells["Hours"] = number % 4 == 0 ? .number(JSONNumber(number + 1)) : number % 4 == 1 ? .null : 3
            cells["Note"] =
                number % 50 == 1
                ? .string(String(repeating: "näher \(number)\n", count: 900)) : number % 2 == 0 ? .null : "short"
            cells["State"] = number % 3 == 0 ? "old" : number % 3 == 1 ? "brand new" : .null
            cells["Tags"] = number % 3 == 0 ? ["b", "fresh"] : .null
            cells["Done"] = .bool(number % 2 == 0)
            cells["Day"] = number % 5 == 0 ? "2026-02-03" : .null
            // By name; some that there are not yet.
            cells["Crew"] =
                number % 7 == 0
                ? .null : number % 7 == 1 ? [.string("Made \(number % 5)")] : [.string("Crew \(number % 40)")]
            if number % 10 == 0 { cells["Files"] = number % 20 == 0 ? [] : [["id": .string(files[1])]] }
            cells["After"] =
                isNew ? [.string(present[number - present.count].description)] : number % 6 == 0 ? .null : nil
            return .object(cells)
        }
        return [
            "base": "Plant", "table": "Jobs", "mergeOn": ["Key"], "records": .array(records), "typecast": true,
        ]
    }

    init(_ world: WritingFixture, jobs count: Int) async throws {
        self.world = world
        let (airtable, context) = (world.airtable, world.context)
        let schema = try await airtable.createBase(name: "Plant", tables: Self.drafts, context: context)
        base = schema.base
        let made = try await airtable.tables(in: base.id, context: context)
        (crews, jobs) = (
            try #require(made.first { $0.name == "Crews" }), try #require(made.first { $0.name == "Jobs" })
        )
        let names = (0..<40).map { ["Name": .string("Crew \($0)"), "Note": .string("of \($0)")] as JSONObject }
        let crews = try await airtable.create(
            names.map { RecordDraft(fields: $0) },
            in: crews.id,
            context: context
        ).map(\.id)
        files = try await Self.files(world, base, jobs)
        var ids: [RecordID] = []
        for start in stride(from: 0, to: count, by: 500) {
            let drafts = (start..<min(count, start + 500)).map { number -> RecordDraft in
                var cells: JSONObject = ["Key": .string("k\(number)"), "Money": .number(JSONNumber(number % 9))]
                if number % 7 != 0 { cells["Hours"] = .number(JSONNumber(number)) }
                if number % 3 != 0 {
                    cells["Note"] = .string(String(repeating: "n", count: number % 100 == 1 ? 9_000 : 9))
                }
                cells["State"] = number % 2 == 0 ? "new" : .null
                cells["Tags"] = number % 4 == 0 ? ["a", "b"] : .null
                if number % 5 != 0 { cells["Crew"] = [.string(crews[number % 40].description)] }
                if number % 10 == 0 { cells["Files"] = [["id": .string(files[0])]] }
                if start > 0, number % 3 == 0 { cells["After"] = [.string(ids[number - 500].description)] }
                if number % 8 == 0 { cells["Day"] = "2025-12-31" }
                return RecordDraft(fields: cells)
            }
            ids += try await airtable.create(drafts, in: jobs.id, context: context).map(\.id)
        }
        if count <= 500 {
            let links = stride(from: 6, to: count, by: 6).map { number in
                RecordUpdate(id: ids[number], fields: ["After": [.string(ids[number - 1].description)]])
            }
            _ = try await airtable.update(links, in: jobs.id, context: context)
        }
    }

    /// Two stored files, of a record that is gone by then.
    private static func files(_ world: WritingFixture, _ base: Base, _ jobs: Table) async throws -> [String] {
        let record = try await world.make(jobs, ["Key": "files"])[0]
        for name in ["a.txt", "b.txt"] {
            let content = Data("bytes of \(name)".utf8).base64EncodedString()
            let uploaded = try await world.call(
                "upload_attachment",
                [
                    "base": "Plant", "table": "Jobs", "recordId": .string(record.description), "field": "Files",
                    "content": .string(content), "filename": .string(name),
                ]
            )
            try #require(!uploaded.isError, "\(uploaded.text)")
        }
        let stored = try await world.airtable.record(record, in: jobs.id, context: world.context)
        let cell = CellCodec.fields(of: stored, table: jobs)["Files"]?.arrayValue ?? []
        try await world.airtable.delete([record], in: jobs.id, context: world.context)
        return cell.compactMap { $0["id"]?.stringValue }
    }

    private static var drafts: [TableDraft] {
        func computed(_ name: String, _ type: FieldType, _ link: String?, _ field: String?, _ formula: String?)
            -> FieldDraft
        {
            var draft = FieldDraft(name: name, type: type)
            (draft.recordLink, draft.fieldInLinkedTable, draft.options.formula) = (link, field, formula)
            return draft
        }
        return [
            TableDraft(
                name: "Crews",
                fields: [
                    FieldDraft(name: "Name", type: .singleLineText), FieldDraft(name: "Note", type: .multilineText),
                    computed("Hours", .rollup, "Jobs", "Hours", "SUM(values)"),
                    computed("Jobs count", .count, "Jobs", nil, nil),
                    computed("States", .multipleLookupValues, "Jobs", "Label", nil),
                ]
            ),
            TableDraft(
                name: "Jobs",
                fields: [
                    FieldDraft(name: "Key", type: .singleLineText), FieldDraft(name: "Note", type: .multilineText),
                    FieldDraft(name: "Hours", type: .number), FieldDraft(name: "Money", type: .number),
                    FieldDraft(name: "Done", type: .checkbox), FieldDraft(name: "Day", type: .date),
                    FieldDraft(name: "State", type: .singleSelect, choices: ["new", "old"]),
                    FieldDraft(name: "Tags", type: .multipleSelects, choices: ["a", "b"]),
                    .link("Crew", to: "Crews", inverse: "Jobs"), .link("After", to: "Jobs", inverse: "Before"),
                    FieldDraft(name: "Files", type: .multipleAttachments), FieldDraft(name: "No", type: .autoNumber),
                    FieldDraft(name: "Made", type: .createdTime), FieldDraft(name: "Maker", type: .createdBy),
                    FieldDraft(name: "Changer", type: .lastModifiedBy),
                    FieldDraft(name: "Changed", type: .lastModifiedTime),
                    computed(
                        "Label",
                        .formula,
                        nil,
                        nil,
                        "{Key} & \"/\" & {Hours} & \"/\" & {State} & \"/\" & {Crew notes}"
                    ),
                    computed("Crew notes", .multipleLookupValues, "Crew", "Note", nil),
                    computed("Before hours", .rollup, "Before", "Hours", "SUM(values)"),
                ]
            ),
        ]
    }
}

func withPlant(
    _ kind: DatabaseKind,
    jobs: Int,
    _ body: @escaping @Sendable (Plant) async throws -> Void
) async throws {
    try await withWriting(kind) { world in try await body(try await Plant(world, jobs: jobs)) }
}
