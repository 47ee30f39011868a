import Domain
import TestSupport
import Testing

@testable import Airtable

@Suite("Cells in Airtable's shapes")
struct CellCodecTests {
    static let blue = SelectChoice(id: .random(), name: "Blue")
    static let red = SelectChoice(id: .random(), name: "Red")

    static func field(_ type: FieldType, _ change: (inout FieldOptions) -> Void = { _ in }) -> Field {
        var options = FieldOptions()
        if type == .singleSelect || type == .multipleSelects { options.choices = [blue, red] }
        if type == .rating { options.max = 5 }
        change(&options)
        return Field(id: .random(), name: "Cell", type: type, options: options, ordinal: 1)
    }

    struct Case: Sendable, CustomStringConvertible {
        let type: FieldType
        let written: JSONValue
        /// What is read back; nil for an empty cell.
        let read: JSONValue?
        var description: String { "\(type) \(written)" }

        init(_ type: FieldType, _ written: JSONValue, _ read: JSONValue?) {
            self.type = type
            self.written = written
            self.read = read
        }
    }

    static let accepted: [Case] = [
        Case(.singleLineText, "x", "x"), Case(.singleLineText, "", nil), Case(.singleLineText, nil, nil),
        Case(.multilineText, "a\nb \"c\" \\ é 😀", "a\nb \"c\" \\ é 😀"), Case(.email, "a@b.c", "a@b.c"),
        Case(.url, "not checked", "not checked"), Case(.phoneNumber, "+1 (2)", "+1 (2)"),
        Case(.number, 5, 5), Case(.number, 12.5, 12.5), Case(.number, -0.001, -0.001), Case(.number, 0, 0),
        Case(.number, 1e20, 1e20), Case(.number, 1.7976931348623157e308, 1.7976931348623157e308),
        Case(.number, 123456789012345678, 123456789012345680), Case(.number, nil, nil),
        Case(.currency, 9.99, 9.99), Case(.percent, 0.123, 0.123),
        Case(.checkbox, true, true), Case(.checkbox, false, nil), Case(.checkbox, nil, nil),
        Case(.rating, 1, 1), Case(.rating, 5, 5), Case(.rating, nil, nil),
        Case(.singleSelect, "Blue", "Blue"), Case(.singleSelect, nil, nil), Case(.singleSelect, "", nil),
        Case(.singleSelect, .string(red.id.description), "Red"),
        Case(.multipleSelects, ["Red", "Blue"], ["Red", "Blue"]), Case(.multipleSelects, ["Red", "Red"], ["Red"]),
        Case(.multipleSelects, [], nil), Case(.multipleSelects, nil, nil),
        Case(.date, "2024-05-01", "2024-05-01"), Case(.date, "2024-02-29", "2024-02-29"),
        Case(.date, "2024-05-01T23:30:00-05:00", "2024-05-02"), Case(.date, "1066-10-14", "1066-10-14"),
        Case(.dateTime, "2024-05-01T12:34:56.789Z", "2024-05-01T12:34:56.789Z"),
        Case(.dateTime, "2024-05-01T12:34:56", "2024-05-01T12:34:56.000Z"),
        Case(.dateTime, "2024-05-01T12:34", "2024-05-01T12:34:00.000Z"),
        Case(.dateTime, "2024-05-01", "2024-05-01T00:00:00.000Z"),
        Case(.dateTime, "2024-05-01T12:34:56+02:00", "2024-05-01T10:34:56.000Z"),
        Case(.dateTime, "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
        Case(.multipleRecordLinks, ["recAAAAAAAAAAAAAA"], ["recAAAAAAAAAAAAAA"]),
        Case(.multipleRecordLinks, [["id": "recAAAAAAAAAAAAAA"]], ["recAAAAAAAAAAAAAA"]),
        Case(.multipleRecordLinks, [], nil),
    ]

    @Test("what is written is read back in the shape of the API", arguments: accepted)
    func accepts(_ example: Case) throws {
        let field = Self.field(example.type)
        let value = try Self.value(CellCodec.parse(example.written, field: field))
        #expect(value.map { CellCodec.json(of: $0, field: field) } == example.read)
    }

    struct Refusal: Sendable, CustomStringConvertible {
        let type: FieldType
        let written: JSONValue
        let code: AirtableError.Code
        var description: String { "\(type) \(written.text.prefix(40))" }
    }

    static let refused: [Refusal] = [
        Refusal(type: .singleLineText, written: 5, code: .invalidValueForColumn),
        Refusal(type: .singleLineText, written: ["x"], code: .invalidValueForColumn),
        Refusal(type: .singleLineText, written: true, code: .invalidValueForColumn),
        Refusal(type: .multilineText, written: ["a": 1], code: .invalidValueForColumn),
        Refusal(
            type: .singleLineText,
            written: .string(String(repeating: "x", count: 100_001)),
            code: .invalidValueForColumn
        ),
        Refusal(type: .singleLineText, written: "a\0b", code: .invalidValueForColumn),
        Refusal(type: .number, written: "5", code: .invalidValueForColumn),
        Refusal(type: .number, written: true, code: .invalidValueForColumn),
        Refusal(type: .currency, written: "$5", code: .invalidValueForColumn),
        Refusal(type: .percent, written: "5%", code: .invalidValueForColumn),
        Refusal(type: .checkbox, written: "true", code: .invalidValueForColumn),
        Refusal(type: .checkbox, written: 1, code: .invalidValueForColumn),
        Refusal(type: .rating, written: 0, code: .invalidValueForColumn),
        Refusal(type: .rating, written: 6, code: .invalidValueForColumn),
        Refusal(type: .rating, written: 2.5, code: .invalidValueForColumn),
        Refusal(type: .rating, written: -1, code: .invalidValueForColumn),
        Refusal(type: .singleSelect, written: "Green", code: .invalidMultipleChoiceOptions),
        Refusal(type: .singleSelect, written: "blue", code: .invalidMultipleChoiceOptions),
        Refusal(type: .singleSelect, written: ["Blue"], code: .invalidValueForColumn),
        Refusal(type: .singleSelect, written: 5, code: .invalidValueForColumn),
        Refusal(type: .multipleSelects, written: ["Green"], code: .invalidMultipleChoiceOptions),
        Refusal(type: .multipleSelects, written: "Blue", code: .invalidValueForColumn),
        Refusal(type: .multipleSelects, written: [5], code: .invalidValueForColumn),
        Refusal(type: .date, written: "2024-02-30", code: .invalidValueForColumn),
        Refusal(type: .date, written: "5/1/2024", code: .invalidValueForColumn),
        Refusal(type: .date, written: 20240501, code: .invalidValueForColumn),
        Refusal(type: .date, written: "2024-5-1", code: .invalidValueForColumn),
        Refusal(type: .dateTime, written: "2024-05-01T25:00:00Z", code: .invalidValueForColumn),
        Refusal(type: .dateTime, written: "noon", code: .invalidValueForColumn),
        Refusal(type: .dateTime, written: "2024-05-01T12:34:56+99:00", code: .invalidValueForColumn),
        Refusal(type: .multipleRecordLinks, written: "recAAAAAAAAAAAAAA", code: .invalidValueForColumn),
        Refusal(type: .multipleRecordLinks, written: ["Anna"], code: .invalidRecordID),
        Refusal(type: .multipleRecordLinks, written: [5], code: .invalidValueForColumn),
        Refusal(type: .autoNumber, written: 5, code: .invalidValueForColumn),
        Refusal(type: .createdTime, written: "2024-05-01", code: .invalidValueForColumn),
        Refusal(type: .autoNumber, written: nil, code: .invalidValueForColumn),
    ]

    @Test("what does not fit is refused with Airtable's code, naming the field and not the value", arguments: refused)
    func refuses(_ example: Refusal) async {
        let error = await expectFailure(example.code) {
            try CellCodec.parse(example.written, field: Self.field(example.type))
        }
        if example.code == .invalidValueForColumn { #expect(error?.message.contains("\"Cell\"") == true) }
    }

    static let cast: [Case] = [
        Case(.singleLineText, 5, "5"), Case(.singleLineText, 1.50, "1.5"), Case(.singleLineText, true, "true"),
        Case(.number, "12.5", 12.5), Case(.number, " 1,234.5 ", 1234.5), Case(.number, "-3e2", -300),
        Case(.number, "(12)", -12), Case(.number, "", nil), Case(.currency, "$1,200.50", 1200.5),
        Case(.currency, "12 €", 12), Case(.percent, "50%", 0.5), Case(.percent, "0.5", 0.5),
        Case(.checkbox, "true", true), Case(.checkbox, "No", nil), Case(.checkbox, "checked", true),
        Case(.checkbox, 1, true), Case(.checkbox, 0, nil), Case(.rating, "3", 3),
        Case(.singleSelect, " Blue ", "Blue"), Case(.multipleSelects, "Blue, Red", ["Blue", "Red"]),
        Case(.date, "5/1/2024", "2024-05-01"), Case(.date, "31/1/2024", "2024-01-31"),
        Case(.date, "1.5.2024", "2024-05-01"), Case(.date, "2024/5/1", "2024-05-01"),
        Case(.date, "May 1, 2024", "2024-05-01"), Case(.date, "1 may 24", "2024-05-01"),
        Case(.date, "1-Sept-2024", "2024-09-01"), Case(.date, "March 3rd, 1999", "1999-03-03"),
        Case(.dateTime, "5/1/2024 3:05 pm", "2024-05-01T15:05:00.000Z"),
        Case(.dateTime, "1 May 2024 15:05:30", "2024-05-01T15:05:30.000Z"),
        Case(.dateTime, "5/1/2024 12:00 am", "2024-05-01T00:00:00.000Z"),
    ]

    @Test("typecast reads what people write", arguments: cast)
    func casts(_ example: Case) throws {
        let field = Self.field(example.type)
        let value = try Self.value(CellCodec.parse(example.written, field: field, typecast: true))
        #expect(value.map { CellCodec.json(of: $0, field: field) } == example.read)
    }

    @Test(
        "typecast does not guess",
        arguments: [
            (FieldType.number, "twelve"), (.number, "nan"), (.number, "0x10"), (.number, "inf"), (.checkbox, "maybe"),
            (.date, "soon"), (.date, "5/2024"), (.date, "13/13/2024"), (.date, "5/1/20245"),
            (.dateTime, "5/1/2024 25:00"),
            (.rating, "9"),
        ]
    )
    func castRefuses(_ type: FieldType, _ text: String) async {
        await expectFailure(.invalidValueForColumn) {
            try CellCodec.parse(.string(text), field: Self.field(type), typecast: true)
        }
    }

    @Test("typecast leaves new choices and links by text to the transaction")
    func castDefers() throws {
        let select = Self.field(.multipleSelects)
        let names = try CellCodec.parse(["Blue", "Green"], field: select, typecast: true)
        #expect(names == .choices([.existing(Self.blue.id), .new("Green")]))
        let links = Self.field(.multipleRecordLinks)
        let list = try CellCodec.parse("Anna, \"Smith, Bob\"", field: links, typecast: true)
        #expect(list == .links([.text("Anna"), .text("Smith, Bob")]))
    }

    @Test(
        "lists split at commas outside quotes",
        arguments: [
            ("a,b", ["a", "b"]), (" a , ,b,", ["a", "b"]), ("\"a,b\",c", ["a,b", "c"]),
            ("\"a \"\"b\"\"\"", ["a \"b\""]),
            ("", []), ("\"", []), ("\"\"\"\"", ["\""]), ("\"\",a", ["a"]), ("\"unclosed, text", ["unclosed, text"]),
        ]
    )
    func lists(_ text: String, _ elements: [String]) {
        #expect(CellText.list(text) == elements)
    }

    @Test("texts for people")
    func display() {
        func show(_ value: CellValue, _ type: FieldType, _ change: (inout FieldOptions) -> Void = { _ in }) -> String {
            CellCodec.displayText(of: value, field: Self.field(type, change)) { _ in "Anna" }
        }
        #expect(show(.number(1.008), .number) == "1.008")
        #expect(show(.number(5), .number) { $0.precision = 2 } == "5.00")
        #expect(show(.number(0.005), .number) { $0.precision = 2 } == "0.01")
        #expect(show(.number(-0.004), .number) { $0.precision = 2 } == "0.00")
        #expect(show(.number(1e300), .number) { $0.precision = 2 } == "1e+300")
        #expect(show(.number(-1234.5), .currency) { ($0.symbol, $0.precision) = ("€", 2) } == "-€1234.50")
        #expect(show(.number(0.07), .percent) == "7%")
        #expect(show(.number(0.1234), .percent) { $0.precision = 1 } == "12.3%")
        #expect(show(.checked, .checkbox) == "checked")
        #expect(show(.choice(Self.blue.id), .singleSelect) == "Blue")
        #expect(show(.choices([Self.red.id, Self.blue.id]), .multipleSelects) == "Red, Blue")
        #expect(show(.links([.random(), .random()]), .multipleRecordLinks) == "Anna, Anna")
        #expect(show(.date(CalendarDate(daysSinceEpoch: 0)), .date) == "1970-01-01")
    }

    static func value(_ input: CellInput) throws -> CellValue? {
        switch input {
        case .empty: return nil
        case .value(let value): return value
        case .choice(.existing(let id)): return .choice(id)
        case .choices(let list):
            return .choices(
                try list.map { choice in
                    guard case .existing(let id) = choice else { throw TestSupportError("a new choice") }
                    return id
                }
            )
        case .attachments: throw TestSupportError("attachments to fetch")
        case .links(let list):
            return .links(
                try list.map { link in
                    guard case .record(let id) = link else { throw TestSupportError("a link by text") }
                    return id
                }
            )
        case .choice(.new): throw TestSupportError("a new choice")
        }
    }
}
