import Domain
import TestSupport

@testable import Airtable

/// Makes filters as people write them, and records with all the cells that could tell SQL from the evaluator apart.
struct FilterGenerator {
    static let choices = ["S", "small", "10", "é", "a,b"].map { SelectChoice(id: .random(), name: $0) }
    static let tags = ["red", "blue", "red hot", "a,b"].map { SelectChoice(id: .random(), name: $0) }

    /// One field of each kind that matters.
    static let fields: [Field] = {
        let types: [(String, FieldType)] = [
            ("Text", .singleLineText), ("Other", .multilineText), ("Number", .number), ("Whole", .rating),
            ("Flag", .checkbox), ("Size", .singleSelect), ("Tags", .multipleSelects), ("Day", .date),
            ("Moment", .dateTime), ("Made", .createdTime), ("Touched", .lastModifiedTime), ("Calc", .formula),
            ("Who", .singleCollaborator),
        ]
        return types.enumerated().map { ordinal, field in
            var options = FieldOptions()
            if field.1 == .singleSelect { options.choices = choices }
            if field.1 == .multipleSelects { options.choices = tags }
            return Field(id: .random(), name: field.0, type: field.1, options: options, ordinal: ordinal + 1)
        }
    }()

    static func model(number: Int64) -> TableModel {
        let table = Table(id: .random(), base: .random(), name: "T", primaryField: fields[0].id, fields: fields)
        return TableModel(table: table, number: number, nextOrdinal: fields.count + 1)
    }

    var random: SeededGenerator
    private(set) var ids: [RecordID] = []

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    private mutating func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &random) }
    private mutating func pick<T>(_ choices: [T]) -> T { choices[number(0..<choices.count)] }
    private mutating func once(in times: Int) -> Bool { number(0..<times) == 0 }

    // MARK: Filters

    mutating func formula() -> String { condition(depth: 0) }

    private mutating func condition(depth: Int) -> String {
        if depth >= 3 || once(in: 2) { return leaf() }
        let count = number(1..<4)
        let parts = (0..<count).map { _ in condition(depth: depth + 1) }
        switch number(0..<5) {
        case 0, 1: return "AND(\(parts.joined(separator: ", ")))"
        case 2: return "OR(\(parts.joined(separator: ", ")))"
        case 3: return "NOT(\(parts[0]))"
        default: return "IF(\(parts[0]), \(condition(depth: depth + 1)), \(condition(depth: depth + 1)))"
        }
    }

    private mutating func leaf() -> String {
        // One in eight is nothing for SQL.
        if once(in: 8) {
            return pick([
                "{Number}+1>2", "LOWER({Text})='a'", "{Tags}='red'", "LEFT({Text}, 1)='a'", "1/0", "ERROR()",
                "{Text}*1>0", "SEARCH('A', {Text})", "{Who}", "{Touched}>'2024-01-01'", "{Calc}&''='1'", "{Tags}",
                "IS_SAME({Day}, TODAY(), 'month')", "{Number}={Text}", "ISERROR({Number}/{Whole})",
            ])
        }
        switch number(0..<8) {
        case 0:
            return pick([
                "{Text}", "{Number}", "{Whole}", "{Flag}", "NOT({Flag})", "{Size}", "{Day}", "{Moment}", "{Made}",
                "{Calc}", "{Flag}=BLANK()", "{Flag}+1>1", "TRUE()", "RECORD_ID()", "'x'", "0",
            ])
        case 1:
            return pick([
                "FIND('a', {Text})", "FIND('1', {Text})>0", "FIND('é', {Other})=0", "SEARCH('1', {Text})",
                "SEARCH('-', {Other})=BLANK()", "LEN({Text})>0", "LEN({Other})=0", "FIND('red', {Tags})",
                "FIND('e', {Tags})<1", "FIND('', {Text})", "FIND('\"', {Text})>=1", "SEARCH('2', {Text})>5",
            ])
        case 2:
            return pick([
                "{Number}\(sign()){Whole}", "{Text}\(sign()){Other}", "SWITCH({Size}, 'S', 1, 'small', 0, 2)",
                "{Size}&'x'='Sx'", "LEN({Size})\(sign())2", "IF({Size}='S', {Size}, '')", "REGEX_MATCH({Size}, '^s')",
            ])
        case 3:
            let function = pick(["IS_BEFORE", "IS_AFTER", "IS_SAME"])
            let sides = [pick(["{Day}", "{Moment}", "{Made}", "CREATED_TIME()"]), constant()]
            return "\(function)(\((once(in: 4) ? sides.reversed() : sides).joined(separator: ", ")))"
        case 4:
            if let id = ids.randomElement(using: &random), once(in: 2) { return "RECORD_ID()\(sign())'\(id)'" }
            return compared("RECORD_ID()")
        default:
            return compared(
                pick([
                    "{Text}", "{Other}", "{Number}", "{Number}", "{Whole}", "{Flag}", "{Size}", "{Size}", "{Day}",
                    "{Moment}", "{Made}", "CREATED_TIME()", "{Calc}", "{Calc}",
                ])
            )
        }
    }

    private mutating func sign() -> String { pick(["=", "=", "!=", "<", "<=", ">", ">="]) }

    private mutating func compared(_ side: String) -> String {
        let (sign, constant) = (sign(), constant())
        return once(in: 5) ? constant + sign + side : side + sign + constant
    }

    private mutating func constant() -> String {
        pick([
            "0", "1", "-1", "2.5", "0.1", "3", "1e15", "0.30000000000000004", "(0.1+0.2)", "-0", "9007199254740993",
            "\"\"", "'a'", "'ab'", "'12'", "' 12'", "'é'", "'ж'", "'S'", "'small'", "'10'", "'O\\'H\"x'", "'b\\n'",
            "BLANK()", "TRUE()", "FALSE()", "TODAY()", "NOW()", "'2024-05-01'", "'2024-05-01T12:00:00.001Z'",
            "DATETIME_PARSE('2024-05-01T12:00:00.001Z')", "'5/1/2024'", "'0001-01-01'", "'9999-12-31'",
            "DATEADD(NOW(), 1, 'seconds')", "(1/0)", "(0/0)", "(-1/0)", "ERROR()", "'1e999'", "1714521600000",
        ])
    }

    // MARK: Records

    mutating func row(position: Int64, model: TableModel) -> StoredRow {
        let id = RecordID.random(using: &random)
        ids.append(id)
        var cells: [FieldID: CellValue] = [:]
        for field in Self.fields where !once(in: 5) { cells[field.id] = cell(field) }
        let created: Int64 = pick([
            1_714_521_600_000_000, 1_714_564_800_001_000, 1_714_564_800_001_234, 1_750_000_000_000_000,
        ])
        return StoredRow(
            position: position,
            id: id,
            created: Instant(microseconds: created),
            cells: StoredCells.encode(cells, model: model)
        )
    }

    private mutating func cell(_ field: Field) -> CellValue? {
        switch field.name {
        case "Text", "Other": .text(text())
        case "Number": .number(double())
        case "Whole": .number(Double(number(0..<4)))
        case "Flag": once(in: 2) ? .checked : nil
        // One that is gone reads as an empty cell.
        case "Size": .choice(once(in: 9) ? ChoiceID.random(using: &random) : pick(Self.choices).id)
        case "Tags": .choices((0..<number(1..<4)).map { _ in pick(Self.tags).id })
        case "Day": .date(day())
        case "Moment", "Touched": .dateTime(Instant(milliseconds: moment()))
        case "Calc": .computed(computed())
        case "Who": .collaborator(Collaborator(id: .random(using: &random), name: "Zoe"))
        default: nil
        }
    }

    private mutating func computed() -> ComputedValue {
        switch number(0..<9) {
        case 0: .error
        case 1: .special(pick([.notANumber, .infinity, .negativeInfinity]))
        case 2: .list([.text(text())])
        case 3: .boolean(once(in: 2))
        case 4: .day(day())
        case 5, 6: .number(double())
        default: .text(text())
        }
    }

    private mutating func text() -> String {
        let whole = ["a", "ab", "12", " 12", "12.0", "1e2", "é", "S", "10", "O'H\"x", "b\n", "2024-05-01", "", "\\"]
        if once(in: 2) { return pick(whole) }
        let letters = ["a", "b", "A", "é", " ", "1", "2", "ж", "-", "\n", "€", "\u{1}", "\"", "\\", "/", "😀"]
        return (0..<number(1..<9)).map { _ in pick(letters) }.joined()
    }

    private mutating func double() -> Double {
        switch number(0..<8) {
        case 0:
            return pick([0, -0.0, 0.1, 0.1 + 0.2, 0.3, 1e15, -1e300, .leastNonzeroMagnitude, 9_007_199_254_740_992])
        case 1:
            // All digits that a Double has.
            let any = Double(bitPattern: random.next())
            return any.isFinite ? any : 1
        case 2: return pick([2.5, 0.1, 3, 12]).nextUp
        case 3: return pick([2.5, 0.1, 3, 12]).nextDown
        case 4: return Double(number(-1_000_000..<1_000_000)) / 100
        default: return Double(number(-3..<14))
        }
    }

    private mutating func day() -> CalendarDate {
        // 2024-05-01 and around, the ends of the years, and anything.
        CalendarDate(
            daysSinceEpoch: Int32(pick([19_844, 19_845, 19_843, -719_162, 2_932_896, number(-9_000..<40_000)]))
        )
    }

    private mutating func moment() -> Int64 {
        pick([
            1_714_521_600_000, 1_714_564_800_001, 1_714_564_800_000, 1_750_000_000_000, -62_135_596_800_000,
            253_402_300_799_999, Int64(number(-9_000_000..<40_000_000)) * 86_400,
        ])
    }
}
