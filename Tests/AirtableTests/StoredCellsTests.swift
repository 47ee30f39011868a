import Domain
import TestSupport
import Testing

@testable import Airtable

@Suite("Stored cells")
struct StoredCellsTests {
    /// One field of each stored type, and one that is not stored.
    static let model: TableModel = {
        let types = FieldType.allCases
        let fields = types.enumerated().map { position, type in
            Field(id: .random(), name: type.rawValue, type: type, ordinal: position + 1)
        }
        let table = Table(id: .random(), base: .random(), name: "T", primaryField: fields[0].id, fields: fields)
        return TableModel(table: table, number: 7, nextOrdinal: fields.count + 1)
    }()

    static func field(_ type: FieldType) -> FieldID { model.table.field(type.rawValue)?.id ?? .random() }

    @Test("one compact object keyed by ordinals, in their order")
    func shape() throws {
        let id = try #require(RecordID("recAAAAAAAAAAAAAA"))
        let choice = try #require(ChoiceID("selBBBBBBBBBBBBBB"))
        let cells: [FieldID: CellValue] = [
            Self.field(.singleLineText): .text("a \"b\"\n\\"), Self.field(.number): .number(12.5),
            Self.field(.checkbox): .checked, Self.field(.rating): .number(3),
            Self.field(.singleSelect): .choice(choice), Self.field(.multipleSelects): .choices([choice]),
            Self.field(.date): .date(CalendarDate(daysSinceEpoch: 19_844)),
            Self.field(.dateTime): .dateTime(Instant(milliseconds: -1)),
            Self.field(.multipleRecordLinks): .links([id, id]), Self.field(.autoNumber): .number(42),
            Self.field(.createdTime): .dateTime(Instant(milliseconds: 5)),
        ]
        let text = StoredCells.encode(cells, model: Self.model)
        #expect(
            text == #"{"1":"a \"b\"\n\\","6":12.5,"9":true,"10":3,"11":"selBBBBBBBBBBBBBB","12":["selBBBBBBBBBBBBBB"],"#
                + #""13":"2024-05-01","14":-1,"15":["recAAAAAAAAAAAAAA","recAAAAAAAAAAAAAA"],"17":42}"#
        )
        var stored = cells
        stored[Self.field(.createdTime)] = nil
        #expect(try StoredCells.decode(text, model: Self.model) == stored)
        #expect(StoredCells.encode([:], model: Self.model) == "{}")
        #expect(try StoredCells.decode("{}", model: Self.model).isEmpty)
    }

    @Test("cells of deleted fields are passed over, whatever they held")
    func unknownOrdinals() throws {
        let text =
            #"{"1":"x","90":"y","91":[ "a" , "b" ],"92":true,"93":-1.5e3,"94":[],"95":{"a":[{}, null,false ]},"6":1}"#
        let cells = try StoredCells.decode(text, model: Self.model)
        #expect(cells == [Self.field(.singleLineText): .text("x"), Self.field(.number): .number(1)])
    }

    /// A value of each type that is stored as JSON of its own.
    static let composites: [FieldID: CellValue] = [
        field(.singleCollaborator): .collaborator(FieldTypeTests.ada),
        field(.multipleCollaborators): .collaborators([FieldTypeTests.bob, FieldTypeTests.ada]),
        field(.createdBy): .collaborator(FieldTypeTests.bob),
        field(.multipleAttachments): .attachments([FieldTypeTests.file]),
        field(.barcode): .barcode(Barcode(text: "1 \"2\"", type: "upce")),
        field(.button): .button(ButtonValue(label: "Go", url: "https://a.b")),
        field(.aiText): .aiText(AIText(state: .generated, isStale: true, value: "é\n")),
        field(.duration): .number(1.5),
        field(.externalSyncSource): .choice(.random()),
        field(.lastModifiedTime): .dateTime(Instant(milliseconds: 7)),
        field(.multipleLookupValues): .computed(
            .list([
                .text("a"), .number(-1.5), .boolean(false), .day(CalendarDate(daysSinceEpoch: 1)), .error, .blank,
                .moment(Instant(milliseconds: -5)), .record(.random()), .collaborator(FieldTypeTests.ada),
                .attachment(FieldTypeTests.file), .barcode(Barcode(text: "x")), .special(.negativeInfinity),
                .list([.number(1)]),
            ])
        ),
    ]

    @Test("people, files, codes and computed values come back whole")
    func composite() throws {
        let text = StoredCells.encode(Self.composites, model: Self.model)
        let read = try StoredCells.decode(text, model: Self.model)
        #expect(read == Self.composites)
        // People are equal by identifier, so what else is known of them is compared by itself.
        #expect(StoredCells.encode(read, model: Self.model) == text)
        guard case .collaborator(let ada)? = read[Self.field(.singleCollaborator)] else {
            Issue.record("no person")
            return
        }
        #expect(ada.name == "Ada" && ada.email == "ada@example.com")
    }

    @Test(
        "a computed value of each kind comes back",
        arguments: [
            ComputedValue.text("x \u{1}"), .number(0.1), .special(.notANumber), .boolean(true), .error,
            .day(CalendarDate(daysSinceEpoch: 19_844)), .moment(Instant(milliseconds: 1)), .list([]),
            .list([.list([.list([.text("deep")])])]),
        ]
    )
    func computed(_ value: ComputedValue) throws {
        for type in [FieldType.formula, .rollup, .multipleLookupValues] {
            let cells = [Self.field(type): CellValue.computed(value)]
            #expect(try StoredCells.decode(StoredCells.encode(cells, model: Self.model), model: Self.model) == cells)
        }
    }

    @Test("lists in lists without end are damage, not a crash")
    func nesting() async {
        for text in [String(repeating: "[", count: 100_000), String(repeating: "{\"a\":", count: 100_000)] {
            await expectFailure(.corrupt) { try StoredCells.decode("{\"90\":" + text, model: Self.model) }
            await expectFailure(.corrupt) { try StoredCells.decode("{\"27\":" + text, model: Self.model) }
        }
    }

    @Test("JSON as a database may rewrite it reads the same")
    func rewritten() throws {
        let text = " { \"1\" : \"\\u00e9\\ud83d\\ude00\\/\\b\\f\" , \"15\" : [ \"recAAAAAAAAAAAAAA\" ] }"
        let cells = try StoredCells.decode(text, model: Self.model)
        #expect(cells[Self.field(.singleLineText)] == .text("é😀/\u{8}\u{c}"))
    }

    @Test("numbers come back exactly")
    func numbers() throws {
        var generator = SeededGenerator(seed: 1)
        var samples: [Double] = [
            0, 1, -1, 0.1, 1.008, 1e15, 1e16, 9_007_199_254_740_991, 9_007_199_254_740_992, 1e22,
            .leastNonzeroMagnitude, 1e-7, 123.456e10,
            .greatestFiniteMagnitude, .leastNormalMagnitude, 0.1 + 0.2, 123_456_789_012_345, 0.000001,
        ]
        for _ in 0..<20_000 {
            samples.append(Double(bitPattern: generator.next()))
            samples.append(Double(Int64.random(in: -1_000_000_000...1_000_000_000, using: &generator)) / 1_000)
        }
        let field = Self.field(.number)
        for sample in samples where sample.isFinite {
            let text = StoredCells.encode([field: .number(sample)], model: Self.model)
            #expect(try StoredCells.decode(text, model: Self.model)[field] == .number(sample), "\(text)")
        }
    }

    @Test(
        "anything else is an error, not a crash and not a guess",
        arguments: [
            "", "{", "}", "[]", "{\"1\"}", "{\"1\":}", "{\"1\":5}", "{\"1\":\"x}", "{\"1\":\"x\"", "{\"1\":\"x\"}x",
            "{1:\"x\"}",
            "{\"6\":\"5\"}", "{\"6\":}", "{\"6\":1.2.3}", "{\"6\":1e999}", "{\"6\":--1}", "{\"6\":nan}",
            "{\"9\":false}",
            "{\"9\":tru", "{\"11\":\"sel\"}", "{\"11\":\"recAAAAAAAAAAAAAA\"}", "{\"12\":[\"selAAAAAAAAAAAAAA\"",
            "{\"12\":[5]}",
            "{\"13\":\"2024-13-01\"}", "{\"14\":1.5}", "{\"15\":\"recAAAAAAAAAAAAAA\"}", "{\"1\":\"\\x\"}",
            "{\"1\":\"\\u12\"}",
            "{\"1\":\"\\ud800\"}", "{\"1\":\"\\ud800\\u0041\"}", "{\"99999999999999999999\":1}", "{,}",
            "{\"1\":\"x\",}",
            "{\"90\":{]}", "{\"90\":nul}", "{\"90\":{\"a\"}}", "{\"90\":[1,]}",
            "{\"27\":{\"day\":\"2024-13-01\"}}", "{\"27\":{\"num\":\"nan\"}}", "{\"27\":{}}",
            "{\"27\":{\"error\":false}}",
            "{\"22\":[{\"name\":\"no id\"}]}", "{\"18\":5}", "{\"23\":[{\"id\":\"attAAAAAAAAAAAAAA\"}]}",
        ]
    )
    func damaged(_ text: String) async {
        await expectFailure(.corrupt) { try StoredCells.decode(text, model: Self.model) }
    }

    @Test("mutations of a row read as a row or as damage")
    func mutations() throws {
        let choice = ChoiceID.random()
        let cells: [FieldID: CellValue] = [
            Self.field(.singleLineText): .text("Zürich \"x\""), Self.field(.number): .number(1.25e-9),
            Self.field(.checkbox): .checked, Self.field(.multipleSelects): .choices([choice, choice]),
            Self.field(.date): .date(CalendarDate(daysSinceEpoch: 1)),
            Self.field(.multipleRecordLinks): .links([.random(), .random()]),
        ].merging(Self.composites) { first, _ in first }
        let text = Array(StoredCells.encode(cells, model: Self.model).utf8)
        var generator = SeededGenerator(seed: 2)
        var damagedCount = 0
        for _ in 0..<5_000 {
            var bytes = text
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let position = Int.random(in: bytes.indices, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[position] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: position)
                default: bytes.insert(bytes[position], at: position)
                }
            }
            do throws(AirtableError) {
                _ = try StoredCells.decode(String(decoding: bytes, as: UTF8.self), model: Self.model)
            } catch {
                #expect(error.code == .corrupt)
                damagedCount += 1
            }
        }
        #expect(damagedCount > 1_000)
    }
}
