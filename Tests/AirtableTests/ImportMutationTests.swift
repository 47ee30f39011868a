import Domain
import Foundation
import TestSupport
import Testing

@testable import Airtable

/// Files from elsewhere are untrusted: whatever is in them, reading ends with rows or with one clear error.
@Suite("Mutated files")
struct ImportMutationTests {
    /// A third of them for each file.
    private static let count = ProcessInfo.processInfo.environment["PYAIRTABLE_LONG"] == "1" ? 3_000 : 150

    private static let seed =
        ProcessInfo.processInfo.environment["PYAIRTABLE_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 1...99_999)

    private static let declaration = """
        {"name":"B","tables":[{"name":"People","file":"People.csv","primary":"Name","fields":{"Age":"number",
        "Team":{"type":"multipleRecordLinks","table":"Teams"},"Since":"date","Active":"checkbox"}},
        {"name":"Teams","file":"Teams.csv"}]}
        """
    private static let people = """
        Name,Age,Team,Since,Active
        Ada,36,Red,2024-05-01,true
        "Grace, Brewster",85,"Red, Blue",1999-12-31,false
        "A ""quoted"" name",7,Blue,,yes

        """
    private static let teams = "Name,Motto\nRed,\"two\nlines\"\nBlue,short\n"

    private func mutated(_ text: String, _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = Array(text.utf8)
        for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
            let position = Int.random(in: 0..<bytes.count, using: &generator)
            let special: [UInt8] = [0, 0x22, 0x2C, 0x0A, 0x0D, 0x7B, 0x5D, 0xC3, 0xFF, 0x5C]
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: bytes[position] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes.remove(at: position)
            case 2: bytes.insert(special.randomElement(using: &generator) ?? 0, at: position)
            case 3: bytes.removeSubrange(position...)
            default: bytes.insert(contentsOf: bytes[position...].prefix(40), at: position)
            }
        }
        return bytes
    }

    @Test("base.json and CSV, changed at random, are read or refused with a file's name")
    func mutations() async throws {
        var generator = SeededGenerator(seed: Self.seed)
        var refused = 0
        try await withTemporaryDirectory { directory in
            for round in 0..<Self.count {
                let target = round % 3
                let files = [("base.json", Self.declaration), ("People.csv", Self.people), ("Teams.csv", Self.teams)]
                for (position, file) in files.enumerated() {
                    let bytes = position == target ? mutated(file.1, &generator) : Array(file.1.utf8)
                    try Data(bytes).write(to: directory.appendingPathComponent(file.0))
                }
                do throws(ImportError) {
                    try await read(directory.path, skipsBadRows: round.isMultiple(of: 2))
                } catch {
                    refused += 1
                    #expect(error.message.contains(directory.path), "seed \(Self.seed), round \(round): \(error)")
                }
            }
        }
        // Most changes break something; a reader that never refuses reads nothing.
        #expect(refused > Self.count / 4)
    }

    private func read(_ path: String, skipsBadRows: Bool) async throws(ImportError) {
        let plan = try ImportPlan.read(path)
        var scans: [TableScan] = []
        for table in plan.tables {
            var scan = TableScan(table, isLinkTarget: true)
            do {
                try await scan.run(skipsBadRows: skipsBadRows) { _, _ in }
            } catch let error as ImportError {
                throw error
            } catch {
                Issue.record("\(error) is no ImportError")
            }
            scans.append(scan)
        }
        _ = try LinkGraph(scans, skipsUnknown: skipsBadRows)
    }
}
