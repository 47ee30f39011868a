import Domain
import Formula
import TestSupport

/// A record of random cells, for laws and made-up formulas.
struct RandomRow: FormulaRow, CustomStringConvertible {
    static let schema = FormulaSchema([
        FormulaField(name: "Text", type: .text),
        FormulaField(name: "Other", type: .text),
        FormulaField(name: "Number", type: .number),
        FormulaField(name: "Whole", type: .number),
        FormulaField(name: "Flag", type: .boolean),
        FormulaField(name: "Day", type: .date(isDay: true)),
        FormulaField(name: "Moment", type: .date(isDay: false)),
        FormulaField(name: "Texts", type: .array(.text)),
        FormulaField(name: "Numbers", type: .array(.number)),
        FormulaField(name: "Nested", type: .array(.array(.any))),
        FormulaField(name: "Empty", type: .text),
        FormulaField(name: "Any", type: .any),
    ])

    let cells: [FormulaValue]
    let recordID: String? = "recAAAAAAAAAAAAAA"
    let createdTime: Instant? = Instant(milliseconds: 1_700_000_000_000)

    var description: String { "\(cells)" }

    func value(_ slot: Int) -> FormulaValue { cells[slot] }

    func lastModifiedTime(_ slots: [Int]?) -> Instant? { slots == [] ? nil : createdTime }

    /// - Parameter blanksOften: how many cells there are for one that is empty.
    init(_ random: inout SeededGenerator, blankOnceIn times: Int = 6) {
        var cells: [FormulaValue] = [
            .text(Self.text(&random)), .text(Self.text(&random)), .number(Self.number(&random)),
            .number(Double(random.number(-20..<20))), .boolean(random.once(in: 2)),
            .date(Self.date(&random, isDay: true)), .date(Self.date(&random, isDay: false)),
        ]
        let count = random.number(0..<5)
        cells.append(.array((0..<count).map { _ in .text(Self.text(&random)) }))
        cells.append(.array((0..<count).map { _ in .number(Double(random.number(-9..<9))) }))
        cells.append(.array([.array([.number(1), .text("a")]), .array([.array([.blank])])]))
        for index in cells.indices where random.once(in: times) { cells[index] = .blank }
        cells.append(.blank)
        cells.append(cells[random.number(0..<cells.count)])
        self.cells = cells
    }

    /// Of the basic plane, so that no place within it is between two halves of a character.
    static func text(_ random: inout SeededGenerator) -> String {
        let letters = ["a", "b", "A", "é", " ", ",", "1", "2", "ж", "-", "\n", "€", "ab"]
        return (0..<random.number(0..<9)).map { _ in letters[random.number(0..<letters.count)] }.joined()
    }

    static func number(_ random: inout SeededGenerator) -> Double {
        switch random.number(0..<8) {
        case 0: 0
        case 1: Double(random.number(-1_000_000..<1_000_000)) / 100
        case 2: Double(random.number(-9..<10)) * 1e15
        case 3: Double(random.number(-9..<10)) / 8
        default: Double(random.number(-100..<100))
        }
    }

    /// Between 1900 and 2100.
    static func date(_ random: inout SeededGenerator, isDay: Bool) -> FormulaDate {
        let day = Int64(random.number(-25_567..<47_482)) * 86_400_000
        let time = isDay ? 0 : Int64(random.number(0..<86_400_000))
        return FormulaDate(Instant(milliseconds: day + time), isDay: isDay)
    }
}
