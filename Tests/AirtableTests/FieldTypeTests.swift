import Domain
import TestSupport
import Testing

@testable import Airtable

/// The types whose cells are more than one scalar, and those that nobody writes.
@Suite("Cells of people, files, codes, durations and computed values")
struct FieldTypeTests {
    static let ada = Collaborator(id: .random(), email: "ada@example.com", name: "Ada")
    static let bob = Collaborator(id: .random(), name: "Bob")
    static let people = CollaboratorDirectory([ada, bob, Collaborator(id: .random(), name: "Twin"), twin])
    static let twin = Collaborator(id: .random(), name: "twin")
    static let file = Domain.Attachment(
        id: .random(),
        filename: "a.png",
        type: "image/png",
        size: 68,
        width: 3,
        height: 2,
        contentHash: "00ff",
        thumbnails: [.init(size: .small, width: 3, height: 2)]
    )

    static func field(_ type: FieldType, _ change: (inout FieldOptions) -> Void = { _ in }) -> Field {
        CellCodecTests.field(type, change)
    }

    private func written(_ json: JSONValue, _ field: Field, typecast: Bool = false) throws -> CellInput {
        try CellCodec.parse(json, field: field, typecast: typecast, people: Self.people)
    }

    // MARK: People

    @Test("a person is named by identifier or e-mail, and by name only when typecasting")
    func collaborators() async throws {
        let one = Self.field(.singleCollaborator)
        let id = JSONValue.string(Self.ada.id.description)
        for json: JSONValue in [["id": id], ["email": "ADA@example.com"], ["id": id, "email": "x", "name": "y"]] {
            #expect(try written(json, one) == .value(.collaborator(Self.ada)))
        }
        #expect(try written(nil, one) == .empty)
        for json: JSONValue in ["Ada", ["name": "Ada"], [["id": id]], ["id": "usrAAAAAAAAAAAAAA"], ["id": 5], 5] {
            await expectFailure(.invalidValueForColumn) { try written(json, one) }
        }
        #expect(try written(" ada", one, typecast: true) == .value(.collaborator(Self.ada)))
        #expect(try written("ada@example.com", one, typecast: true) == .value(.collaborator(Self.ada)))
        // Two of one name: neither is meant.
        await expectFailure(.invalidValueForColumn) { try written("Twin", one, typecast: true) }

        let several = Self.field(.multipleCollaborators)
        let both: JSONValue = [["id": id], ["id": .string(Self.bob.id.description)], id]
        #expect(try written(both, several) == .value(.collaborators([Self.ada, Self.bob])))
        #expect(try written([], several) == .empty)
        #expect(try written("Ada, Bob", several, typecast: true) == .value(.collaborators([Self.ada, Self.bob])))
        await expectFailure(.invalidValueForColumn) { try written(["id": id], several) }
    }

    @Test("people are read with what is known of them")
    func readPeople() {
        let field = Self.field(.multipleCollaborators)
        #expect(
            CellCodec.json(of: .collaborators([Self.ada, Self.bob]), field: field) == [
                ["id": .string(Self.ada.id.description), "email": "ada@example.com", "name": "Ada"],
                ["id": .string(Self.bob.id.description), "name": "Bob"],
            ]
        )
        let text = CellCodec.displayText(of: .collaborators([Self.ada, Self.bob]), field: field) { _ in nil }
        #expect(text == "Ada, Bob")
    }

    @Test("a mirror takes people who are no users here")
    func strangers() throws {
        let id = UserID.random()
        let json: JSONValue = ["id": .string(id.description), "email": "e@f.g", "name": "Eve"]
        let open = CollaboratorDirectory([], acceptsStrangers: true)
        let input = try CellCodec.parse(json, field: Self.field(.singleCollaborator), people: open)
        guard case .value(.collaborator(let person)) = input else {
            Issue.record("\(input)")
            return
        }
        #expect(person.id == id && person.email == "e@f.g" && person.name == "Eve")
    }

    // MARK: Files, codes, durations

    @Test("attachments are given by address or identifier, and read with their address when there is one")
    func attachments() async throws {
        let field = Self.field(.multipleAttachments)
        let id = AttachmentID.random()
        #expect(
            try written(
                [
                    ["url": "https://a.b/c.png", "filename": "d.png"], ["url": "http://a.b/cc"],
                    ["id": .string(id.description), "url": "https://a.b/c"],
                ],
                field
            )
                == .attachments([
                    .url("https://a.b/c.png", filename: "d.png"), .url("http://a.b/cc", filename: nil), .existing(id),
                ])
        )
        #expect(try written([], field) == .empty)
        for json: JSONValue in [[["url": "file:///etc/passwd"]], [["filename": "x"]], ["x"], [["id": "rec"]]] {
            await expectFailure(.invalidAttachment) { try written(json, field) }
        }
        await expectFailure(.invalidValueForColumn) { try written(["url": "https://a.b/c"], field) }
        let shown = CellCodec.json(of: .attachments([Self.file]), field: field) { file, size in
            "https://h/\(file.filename)/\(size?.rawValue ?? "whole")"
        }
        #expect(
            shown == [
                [
                    "id": .string(Self.file.id.description), "width": 3, "height": 2,
                    "url": "https://h/a.png/whole", "filename": "a.png", "size": 68, "type": "image/png",
                    "thumbnails": ["small": ["url": "https://h/a.png/small", "width": 3, "height": 2]],
                ]
            ]
        )
        #expect(CellCodec.json(of: .attachments([Self.file]), field: field)[0]?["url"] == nil)
    }

    @Test("a barcode has a text, and perhaps a type")
    func barcodes() async throws {
        let field = Self.field(.barcode)
        let value = try CellCodecTests.value(written(["text": "123", "type": "upce"], field))
        #expect(value == .barcode(Barcode(text: "123", type: "upce")))
        #expect(value.map { CellCodec.json(of: $0, field: field) } == ["text": "123", "type": "upce"])
        #expect(try written(["text": "5"], field) == .value(.barcode(Barcode(text: "5"))))
        #expect(try written(["text": ""], field) == .empty)
        #expect(try written(12, field, typecast: true) == .value(.barcode(Barcode(text: "12"))))
        for json: JSONValue in ["123", ["type": "upce"], ["text": 5], ["text": "a", "type": 5], [["text": "1"]]] {
            await expectFailure(.invalidValueForColumn) { try written(json, field) }
        }
    }

    @Test("a duration is seconds; typecast reads hours, minutes and seconds")
    func durations() async throws {
        let minutes = Self.field(.duration) { $0.durationFormat = "h:mm" }
        let seconds = Self.field(.duration) { $0.durationFormat = "h:mm:ss" }
        #expect(try written(90.5, minutes) == .value(.number(90.5)))
        await expectFailure(.invalidValueForColumn) { try written("1:30", minutes) }
        // 1 h 30 min where the field ends in minutes, 1 min 30 s where it ends in seconds.
        #expect(try written("1:30", minutes, typecast: true) == .value(.number(5_400)))
        #expect(try written("1:30", seconds, typecast: true) == .value(.number(90)))
        #expect(try written("-1:00:01.5", seconds, typecast: true) == .value(.number(-3_601.5)))
        #expect(try written("100:00", minutes, typecast: true) == .value(.number(360_000)))
        #expect(try written("45", minutes, typecast: true) == .value(.number(45)))
        for text in ["1:60", "1:2:3:4", ":30", "1:", "a", "1.5:30", "--1"] {
            await expectFailure(.invalidValueForColumn) { try written(.string(text), minutes, typecast: true) }
        }
    }

    @Test(
        "a duration is shown as its format says",
        arguments: [
            (5_400.0, "h:mm", "1:30"), (59.0, "h:mm", "0:01"), (29.0, "h:mm", "0:00"), (-60.0, "h:mm", "-0:01"),
            (3_661.0, "h:mm:ss", "1:01:01"), (3_599.5, "h:mm:ss", "1:00:00"), (0.04, "h:mm:ss.S", "0:00:00.0"),
            (1.25, "h:mm:ss.SS", "0:00:01.25"), (1.0625, "h:mm:ss.SSS", "0:00:01.063"), (-0.4, "h:mm:ss", "0:00:00"),
        ]
    )
    func shownDurations(seconds: Double, format: String, text: String) {
        let field = Self.field(.duration) { $0.durationFormat = format }
        #expect(CellCodec.displayText(of: .number(seconds), field: field) { _ in nil } == text)
    }

    // MARK: Times in a zone

    @Test("a time without zone is read in the field's own zone, one with a zone as it is")
    func zones() throws {
        let paris = Self.field(.dateTime) { $0.timeZone = "Europe/Paris" }
        func read(_ text: String) throws -> JSONValue? {
            try CellCodecTests.value(written(.string(text), paris)).map { CellCodec.json(of: $0, field: paris) }
        }
        // Summer is two hours ahead of UTC, winter one.
        #expect(try read("2024-07-01T12:00:00") == "2024-07-01T10:00:00.000Z")
        #expect(try read("2024-01-01 12:00") == "2024-01-01T11:00:00.000Z")
        #expect(try read("2024-01-01") == "2023-12-31T23:00:00.000Z")
        #expect(try read("2024-07-01T12:00:00Z") == "2024-07-01T12:00:00.000Z")
        #expect(try read("2024-07-01T12:00:00-05:00") == "2024-07-01T17:00:00.000Z")
        // Clocks go from 2 to 3 on 31 March 2024, and twice through 2 to 3 on 27 October: the first time is meant.
        #expect(try read("2024-03-31T01:59:00") == "2024-03-31T00:59:00.000Z")
        #expect(try read("2024-03-31T03:00:00") == "2024-03-31T01:00:00.000Z")
        #expect(try read("2024-10-27T02:30:00") == "2024-10-27T00:30:00.000Z")
        let client = Self.field(.dateTime) { $0.timeZone = "client" }
        #expect(try written("2024-07-01T12:00", client) == written("2024-07-01T12:00Z", client))
    }

    // MARK: Read-only

    @Test(
        "what the store computes is not written, whatever is given",
        arguments: FieldType.allCases.filter(\.isComputed)
    )
    func readOnly(_ type: FieldType) async {
        for json: JSONValue in [nil, 5, "x", [:], []] {
            for typecast in [false, true] {
                let error = await expectFailure(.invalidValueForColumn) {
                    try written(json, Self.field(type), typecast: typecast)
                }
                #expect(error?.message == "Field \"Cell\" cannot accept a value because the field is computed")
            }
        }
    }

    @Test("all of Airtable's 34 types are there")
    func complete() {
        #expect(FieldType.allCases.count == 34)
        #expect(FieldType.allCases.filter(\.isComputed).count == 13)
    }

    // MARK: Computed values

    @Test("computed values have the shapes of the API, errors and odd numbers as objects")
    func computed() {
        let field = Self.field(.formula)
        let id = RecordID.random()
        let cases: [(ComputedValue, JSONValue)] = [
            (.text("x"), "x"), (ComputedValue(1.5), 1.5), (.boolean(true), true),
            (ComputedValue(.nan), ["specialValue": "NaN"]), (ComputedValue(.infinity), ["specialValue": "Infinity"]),
            (ComputedValue(-.infinity), ["specialValue": "-Infinity"]), (.error, ["error": "#ERROR!"]),
            (.day(CalendarDate(daysSinceEpoch: 19_844)), "2024-05-01"),
            (.moment(Instant(milliseconds: 5)), "1970-01-01T00:00:00.005Z"), (.record(id), .string(id.description)),
            (.list([.text("a"), .error, .blank, .list([.number(1)])]), ["a", ["error": "#ERROR!"], nil, [1]]),
            (.barcode(Barcode(text: "1")), ["text": "1"]), (.collaborator(Self.bob), CellCodec.json(of: Self.bob)),
        ]
        for (value, json) in cases { #expect(CellCodec.json(of: .computed(value), field: field) == json) }
        let button = CellValue.button(ButtonValue(label: "Go"))
        #expect(CellCodec.json(of: button, field: Self.field(.button)) == ["label": "Go", "url": nil])
        let text = CellValue.aiText(AIText(state: .error, isStale: true, errorType: "emptyDependency"))
        #expect(
            CellCodec.json(of: text, field: Self.field(.aiText))
                == ["state": "error", "isStale": true, "value": nil, "errorType": "emptyDependency"]
        )
    }

    @Test("a computed number is shown as a field of its result would show it")
    func shownComputed() {
        let field = Self.field(.formula) { options in
            var result = FieldOptions()
            (result.precision, result.symbol) = (2, "€")
            options.result = .of(.currency, result)
        }
        func text(_ value: ComputedValue) -> String {
            CellCodec.displayText(of: .computed(value), field: field) { _ in "Linked" }
        }
        #expect(text(.number(3)) == "€3.00")
        #expect(text(.list([.number(1), .blank, .number(-2)])) == "€1.00, -€2.00")
        #expect(text(.error) == "#ERROR!")
        #expect(text(.special(.notANumber)) == "NaN")
        #expect(text(.record(.random())) == "Linked")
    }

    @Test("a time of creation that shows days is read as a day")
    func days() {
        let moment = CellValue.dateTime(Instant(milliseconds: 1_714_566_896_000))
        let day = Self.field(.createdTime) { $0.dateFormat = "iso" }
        #expect(CellCodec.json(of: moment, field: day) == "2024-05-01")
        let clock = Self.field(.lastModifiedTime) { ($0.dateFormat, $0.timeFormat) = ("iso", "24hour") }
        #expect(CellCodec.json(of: moment, field: clock) == "2024-05-01T12:34:56.000Z")
    }
}
