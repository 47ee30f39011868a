import Domain
import TestSupport
import Testing

@testable import Airtable

/// Random tables listed in random ways, against a model that knows the cells as they were written.
@Suite("Listing against a model")
struct ListingModelTests {
    static let choices = ["low", "mid", "high"]
    static let fields = [
        FieldDraft(name: "Text", type: .singleLineText), FieldDraft(name: "Number", type: .number),
        FieldDraft(name: "Choice", type: .singleSelect, choices: choices), FieldDraft(name: "Day", type: .date),
    ]

    /// A record as it was written; `order` is what the reference says of each cell, blank as nil.
    struct Row {
        let fields: JSONObject
        let order: [String: Rank]
    }

    enum Rank: Equatable {
        case number(Int)
        case text(String)
    }

    static func row(using generator: inout SeededGenerator) -> Row {
        var (fields, order) = (JSONObject(), [String: Rank]())
        if let text = ["a", "B", "b", "C c", "ü"].randomElement(using: &generator), Bool.random(using: &generator) {
            fields["Text"] = .string(text)
            order["Text"] = .text(text.lowercased())
        }
        if Bool.random(using: &generator) {
            let number = Int.random(in: -3...3, using: &generator)
            fields["Number"] = .number(JSONNumber(number))
            order["Number"] = .number(number)
        }
        if let place = [nil, 0, 1, 2].randomElement(using: &generator) ?? nil {
            fields["Choice"] = .string(choices[place])
            order["Choice"] = .number(place)
        }
        if Bool.random(using: &generator) {
            let day = Int.random(in: 1...9, using: &generator)
            fields["Day"] = .string("2024-03-0\(day)")
            order["Day"] = .number(day)
        }
        return Row(fields: fields, order: order)
    }

    /// Whether the first comes strictly before the second when rising: blanks first.
    static func rises(_ left: Rank?, _ right: Rank?) -> Bool {
        switch (left, right) {
        case (nil, nil), (_?, nil): false
        case (nil, _?): true
        case (.number(let left)?, .number(let right)?): left < right
        case (.text(let left)?, .text(let right)?): left < right
        default: false
        }
    }

    /// What a query should give: a stable insertion sort, key by key from the last to the first.
    static func expected(_ query: RecordQuery, _ rows: [(id: RecordID, row: Row)]) -> [RecordID] {
        var rows = rows
        if let filter = query.filter {
            let parts = filter.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
            rows.removeAll { ($0.row.fields[parts[0]] ?? .string("")) != .string(parts[1]) }
        }
        for key in query.sort.reversed() {
            var sorted: [(id: RecordID, row: Row)] = []
            for row in rows {
                let rank = row.row.order[key.field]
                let place = sorted.firstIndex { other in
                    let otherRank = other.row.order[key.field]
                    return key.isDescending ? rises(otherRank, rank) : rises(rank, otherRank)
                }
                sorted.insert(row, at: place ?? sorted.count)
            }
            rows = sorted
        }
        return rows.prefix(query.maxRecords ?? rows.count).map(\.id)
    }

    static func query(using generator: inout SeededGenerator) -> RecordQuery {
        var query = RecordQuery(pageSize: Int.random(in: 1...40, using: &generator))
        for name in ["Text", "Number", "Choice", "Day"].shuffled(using: &generator)
            .prefix(Int.random(in: 0...3, using: &generator))
        {
            query.sort.append(.init(field: name, isDescending: Bool.random(using: &generator)))
        }
        query.filter = ["Text=b", "Choice=mid", "Choice=", nil, nil].randomElement(using: &generator) ?? nil
        if Bool.random(using: &generator) { query.maxRecords = Int.random(in: 1...150, using: &generator) }
        return query
    }

    @Test("pages together are what the model says, in its order", arguments: DatabaseKind.allCases, [UInt64(1), 2, 3])
    func pages(_ kind: DatabaseKind, seed: UInt64) async throws {
        try await withStore(kind) { store in
            var generator = SeededGenerator(seed: seed)
            let table = try await store.table(Self.fields)
            let rows = (0..<120).map { _ in Self.row(using: &generator) }
            let records = try await store.service.create(
                rows.map { RecordDraft(fields: $0.fields) },
                in: table.id,
                context: store.context
            )
            // Places with gaps.
            let gone = Set(records.map(\.id).shuffled(using: &generator).prefix(20))
            try await store.service.delete(Array(gone), in: table.id, context: store.context)
            let left = zip(records.map(\.id), rows).map { (id: $0, row: $1) }.filter { !gone.contains($0.id) }
            let service = store.listing()
            for _ in 0..<40 {
                let query = Self.query(using: &generator)
                let pages = try await store.pages(query, table, service)
                #expect(pages.joined().map(\.id) == Self.expected(query, left), "seed \(seed): \(query)")
                #expect(pages.dropLast().allSatisfy { $0.count == query.pageSize }, "seed \(seed): \(query)")
            }
        }
    }
}
