import Domain
import Foundation

/// The records of the benchmark: 20 fields, some 500 bytes each, the same for the same number.
struct AirtableBenchData {
    static let fieldCount = 20
    static let statuses = ["Open", "In progress", "Blocked", "Review", "Done", "Dropped"]
    private static let cities = [
        "Aachen", "Lyon", "Porto", "Gdansk", "Turku", "Brno", "Ghent", "Cork", "Malmo", "Graz",
    ]
    private static let words = [
        "pump", "valve", "rotor", "seal", "shaft", "gauge", "filter", "motor", "sensor", "cable", "hinge", "bearing",
        "bracket", "coolant", "fuse", "relay", "gasket", "nozzle", "piston", "spring",
    ]

    /// Cells as text, in the order of `columns`.
    static func row(_ number: Int) -> [String] {
        func word(_ salt: Int) -> String { words[(number &* 31 &+ salt &* 17) % words.count] }
        let day = 1 + number % 28
        let month = 1 + number / 28 % 12
        return [
            "Ticket \(number) \(word(1))", code(number), statuses[number % statuses.count],
            ["Low", "Normal", "High"][number % 3], cities[number % cities.count],
            "\(number % 100)", "\(number % 997).\(number % 10)", "\(number % 5 + 1)",
            number % 4 == 0 ? "true" : "false",
            "2024-\(two(month))-\(two(day))", "2024-\(two(month))-\(two(day))T12:\(two(number % 60)):00.000Z",
            "someone\(number % 5_000)@example.com", "https://example.com/items/\(number)",
            "The \(word(2)) next to the \(word(3)) makes a noise like a \(word(4)) in a \(word(5)).",
            "\(word(6)) and \(word(7))", "\(number * 7 % 100_003)", "\(number % 13)", "\(word(8))-\(number % 1_000)",
            "Line \(number % 40)", "checked by \(word(9)) team \(number % 20)",
        ]
    }

    static let columns = [
        "Name", "Code", "Status", "Priority", "City", "Quantity", "Price", "Rank", "Urgent", "Day", "At", "Mail",
        "Link",
        "Notes", "Parts", "Serial", "Shift", "Tag", "Place", "Check",
    ]

    static func code(_ number: Int) -> String { "K\(String(1_000_000 + number).dropFirst())" }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    static func writeCSV(_ count: Int, to path: String) throws {
        guard FileManager.default.createFile(atPath: path, contents: nil), let file = FileHandle(forWritingAtPath: path)
        else { throw CocoaError(.fileWriteUnknown) }
        defer { try? file.close() }
        var text = columns.joined(separator: ",") + "\n"
        for number in 0..<count {
            text += row(number).joined(separator: ",") + "\n"
            if text.utf8.count > 1 << 20 {
                try file.write(contentsOf: Data(text.utf8))
                text = ""
            }
        }
        try file.write(contentsOf: Data(text.utf8))
    }

    /// A body that makes ten records.
    static func tenRecords(_ table: Table, from first: Int) -> String {
        let records = (first..<(first + 10)).map { number -> JSONValue in
            var fields = JSONObject()
            for (column, text) in zip(columns, row(number)) {
                switch table.field(column)?.type {
                case .number: fields[column] = Double(text).flatMap { JSONNumber($0) }.map { .number($0) } ?? .null
                case .checkbox: fields[column] = .bool(text == "true")
                default: fields[column] = .string(text)
                }
            }
            return ["fields": .object(fields)]
        }
        return JSONValue.object(["records": .array(records)]).text
    }
}
