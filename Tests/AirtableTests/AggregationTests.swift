import Access
import Domain
import TestSupport
import Testing

@testable import Airtable

@Suite("Aggregation")
struct AggregationTests {
    @Test(
        "by conditions, formula and group, in one snapshot; of what is hidden nothing counts",
        arguments: DatabaseKind.allCases
    )
    func service(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let table = try await store.table([
                FieldDraft(name: "Name", type: .singleLineText), FieldDraft(name: "Count", type: .number),
                FieldDraft(name: "Kind", type: .singleSelect, choices: ["Big", "Small"]),
            ])
            _ = try await store.create(
                table,
                ["Name": "a", "Count": 1, "Kind": "Small"],
                ["Name": "b", "Count": 20, "Kind": "Big"],
                ["Name": "c", "Count": 30, "Kind": "Big"],
                ["Name": "d"]
            )
            func aggregate(_ query: AggregationQuery, _ scope: RequestContext? = nil) async throws -> AggregationResult
            {
                try await store.service.aggregate(query, in: table.id, context: scope ?? store.context)
            }
            var query = AggregationQuery(
                measures: [.init(.count), .init(.sum, of: "Count"), .init(.average, of: "Count")],
                groupings: [.init(by: "Kind")],
                limit: 10
            )
            let whole = try await aggregate(query)
            #expect(whole.recordCount == 4 && whole.groupCount == 3)
            #expect(whole.groups.map(\.keys) == [["Big"], ["Small"], [.null]])
            #expect(whole.groups.map(\.values) == [[2, 50, 25], [1, 1, 1], [1, 0, .null]])
            query.conditions = [RecordCondition(field: "Count", comparison: .greater, value: 1)]
            query.filter = "{Name}!='c'"
            let few = try await aggregate(query)
            #expect(few.recordCount == 1 && few.groups.map(\.values) == [[1, 20, 20]])
            query.limit = 0
            #expect(try await aggregate(query).groupCount == 1)
            await expectFailure(.unknownFieldName) {
                try await aggregate(AggregationQuery(measures: [.init(.sum, of: "Cuont")], limit: 1))
            }
            await expectFailure(.invalidFilter) {
                try await aggregate(AggregationQuery(measures: [.init(.count)], filter: "{Nope}=1", limit: 1))
            }
            await #expect(throws: AccessError.self) { try await aggregate(query, store.context(with: [.search])) }
        }
    }

    @Test(
        "spans of time begin where the calendar says",
        arguments: [
            ("2024-12-30T23:59:59Z", "2024", "2024-Q4", "2024-12", "2025-W01", "2024-12-30", "2024-12-30T23"),
            ("2021-01-03T00:00:00Z", "2021", "2021-Q1", "2021-01", "2020-W53", "2021-01-03", "2021-01-03T00"),
            ("1969-12-28T05:00:00Z", "1969", "1969-Q4", "1969-12", "1969-W52", "1969-12-28", "1969-12-28T05"),
            ("1970-01-01T09:30:00Z", "1970", "1970-Q1", "1970-01", "1970-W01", "1970-01-01", "1970-01-01T09"),
        ]
    )
    func buckets(
        _ moment: String,
        _ year: String,
        _ quarter: String,
        _ month: String,
        _ week: String,
        _ day: String,
        _ hour: String
    ) throws {
        let moment = try #require(Instant(iso8601: moment))
        let texts = AggregationQuery.Bucket.allCases.map { $0.text(of: moment) }
        #expect(texts == [year, quarter, month, week, day, hour])
    }

    @Test("a record whose cells have more pairs of values than there is memory is refused, and nothing is made of it")
    func pairs() throws {
        let fields = (0..<2).map { number in
            Field(id: .random(), name: "Links \(number)", type: .multipleRecordLinks, ordinal: number)
        }
        var aggregation = try RecordAggregation(measures: [(.count, nil)], groupings: fields.map { ($0, nil) })
        let links = LinkTexts()
        let few = (0..<100).map { _ in RecordID.random() }
        let many = (0..<Limits.linksPerCell).map { _ in RecordID.random() }
        func record(_ ids: [RecordID]) -> Record {
            Record(
                id: .random(),
                createdTime: .now(),
                cells: Dictionary(uniqueKeysWithValues: fields.map { ($0.id, .links(ids)) })
            )
        }
        try aggregation.take(record(few), links)
        #expect(aggregation.groupCount == 10_000)
        #expect(throws: AirtableError(.tooLarge, "")) { try aggregation.take(record(many), links) }
        #expect(aggregation.groupCount == 10_000)
    }

    @Test("different values are counted without going through those before", .timeLimit(.minutes(1)))
    func manyDifferent() throws {
        let field = Field(id: .random(), name: "Text", type: .singleLineText, ordinal: 0)
        var aggregation = try RecordAggregation(measures: [(.distinct, field)], groupings: [])
        let (links, time) = (LinkTexts(), Instant.now())
        for number in 0..<150_000 {
            let cells: [FieldID: CellValue] = [field.id: .text("value \(number / 2)")]
            try aggregation.take(Record(id: .random(), createdTime: time, cells: cells), links)
        }
        #expect(aggregation.groups(limit: 1).first?.values == [75_000])
    }
}
