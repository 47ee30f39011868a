import Domain
import Testing

@testable import Airtable

@Suite("Cells as strings, and in order")
struct CellTextsTests {
    private func text(
        _ value: CellValue,
        _ field: Field,
        zone: String = "America/New_York",
        locale: String = "en-us"
    ) throws -> String {
        try CellTexts(timeZone: zone, locale: locale) { file, _ in "https://h/\(file.filename)" }
            .text(of: value, field: field) { _ in "A, B" }
    }

    private static let date = CellValue.date(CalendarDate(daysSinceEpoch: 19_844))
    /// 2024-05-01T02:04:00Z, which is 22:04 of the day before in New York.
    private static let moment = CellValue.dateTime(Instant(milliseconds: 1_714_529_040_000))

    @Test(
        "dates in the field's format, or in the reader's",
        arguments: [
            ("iso", "en-us", "2024-05-01"), ("us", "de", "5/1/2024"), ("european", "en-us", "1/5/2024"),
            ("friendly", "de", "May 1, 2024"), ("local", "en-us", "5/1/2024"), ("local", "en-ie", "01/05/2024"),
            ("local", "de", "01.05.2024"), ("local", "sv-se", "2024-05-01"), ("local", "ja", "2024/05/01"),
        ]
    )
    func dates(format: String, locale: String, expected: String) throws {
        let field = FieldTypeTests.field(.date) { $0.dateFormat = format }
        #expect(try text(Self.date, field, locale: locale) == expected)
    }

    @Test("moments in the field's zone, or in the reader's when it says client")
    func moments() throws {
        func field(_ zone: String, _ clock: String) -> Field {
            FieldTypeTests.field(.dateTime) { ($0.dateFormat, $0.timeFormat, $0.timeZone) = ("us", clock, zone) }
        }
        #expect(try text(Self.moment, field("client", "12hour")) == "4/30/2024 10:04pm")
        #expect(try text(Self.moment, field("utc", "24hour")) == "5/1/2024 02:04")
        #expect(try text(Self.moment, field("Asia/Tokyo", "12hour")) == "5/1/2024 11:04am")
        #expect(try text(Self.moment, field("client", "24hour"), zone: "utc") == "5/1/2024 02:04")
        let day = FieldTypeTests.field(.createdTime) { $0.dateFormat = "iso" }
        #expect(try text(Self.moment, day) == "2024-04-30")
    }

    @Test("checked, names, files with their address, and quotes round names with commas")
    func others() throws {
        #expect(try text(.checked, FieldTypeTests.field(.checkbox)) == "checked")
        let select = FieldTypeTests.field(.multipleSelects)
        let both = CellValue.choices([CellCodecTests.red.id, CellCodecTests.blue.id])
        #expect(try text(both, select) == "Red, Blue")
        let links = FieldTypeTests.field(.multipleRecordLinks)
        #expect(try text(.links([.random()]), links) == "A, B")
        #expect(try text(.links([.random(), .random()]), links) == "\"A, B\", \"A, B\"")
        let files = FieldTypeTests.field(.multipleAttachments)
        #expect(try text(.attachments([FieldTypeTests.file]), files) == "a.png (https://h/a.png)")
        #expect(try text(.number(0.075), FieldTypeTests.field(.percent) { $0.precision = 1 }) == "7.5%")
        #expect(try text(.computed(.list([.text("a"), .blank, .text("b")])), FieldTypeTests.field(.rollup)) == "a, b")
        let table = Table(id: .random(), base: .random(), name: "T", primaryField: select.id, fields: [select])
        let record = Record(id: .random(), createdTime: Instant(milliseconds: 0), cells: [select.id: both])
        let format = try CellTexts(timeZone: "utc", locale: "en-us")
        #expect(format.fields(of: record, table: table) { _ in nil } == ["Cell": "Red, Blue"])
    }

    @Test("a time zone that there is none of is refused")
    func refused() async {
        await expectFailure(.invalidRequest) { try CellTexts(timeZone: "Mars/Base", locale: "en-us") }
    }

    // MARK: Order

    private func sorted(_ values: [CellValue?], _ field: Field) -> [CellValue?] {
        values.map { (CellSortKey($0, field: field) { _ in "Z" }, $0) }.sorted { $0.0 < $1.0 }.map(\.1)
    }

    @Test("blanks first, then as the type says")
    func order() {
        let (red, blue) = (CellCodecTests.red.id, CellCodecTests.blue.id)
        #expect(
            sorted([.text("b"), nil, .text("A"), .text("a2")], FieldTypeTests.field(.singleLineText))
                == [nil, .text("A"), .text("a2"), .text("b")]
        )
        #expect(
            sorted([.number(10), .number(9), nil, .number(-1)], FieldTypeTests.field(.number))
                == [nil, .number(-1), .number(9), .number(10)]
        )
        #expect(sorted([.checked, nil], FieldTypeTests.field(.checkbox)) == [nil, .checked])
        // Blue comes first among the choices, though not in the alphabet of its rivals' identifiers.
        #expect(
            sorted([.choice(red), .choice(blue), nil], FieldTypeTests.field(.singleSelect))
                == [nil, .choice(blue), .choice(red)]
        )
        #expect(
            sorted(
                [.choices([red]), .choices([blue, red]), .choices([blue])],
                FieldTypeTests.field(.multipleSelects)
            ) == [.choices([blue]), .choices([blue, red]), .choices([red])]
        )
        #expect(
            sorted(
                [.collaborator(FieldTypeTests.bob), .collaborator(FieldTypeTests.ada)],
                FieldTypeTests.field(.singleCollaborator)
            ) == [.collaborator(FieldTypeTests.ada), .collaborator(FieldTypeTests.bob)]
        )
        let computed: [ComputedValue] = [
            .error, .text("a"), .number(2), .special(.infinity), .special(.notANumber), .special(.negativeInfinity),
        ]
        #expect(
            sorted(computed.map { .computed($0) }, FieldTypeTests.field(.formula))
                == [
                    .special(.notANumber), .special(.negativeInfinity), .number(2), .special(.infinity), .text("a"),
                    .error,
                ].map { CellValue.computed($0) }
        )
    }
}
