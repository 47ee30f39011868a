import Domain
import Foundation
import TestSupport
import Testing

@testable import Airtable

/// Writes `text` to a file of that name and reads all rows back, as `line:column=value` texts.
private func rows(_ name: String, _ text: String) async throws -> [String] {
    try await withTemporaryDirectory { directory in
        let path = directory.appendingPathComponent(name).path
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        let source = try RowSources.open(path)
        var found: [String] = []
        while let row = try source.next() {
            let cells = row.values.map { "\(source.columns[$0.column])=\($0.value.text)" }
            found.append("\(row.line):" + cells.joined(separator: " "))
        }
        return found
    }
}

private func failure(_ name: String, _ text: String) async -> ImportError? {
    do {
        let read = try await rows(name, text)
        Issue.record("read \(read)")
        return nil
    } catch {
        return error as? ImportError
    }
}

@Suite("Reading CSV")
struct CSVSourceTests {
    @Test("gives a row a line, empty cells left out")
    func ordinary() async throws {
        #expect(try await rows("a.csv", "A,B,C\n1,,x\n2,y,\n") == [#"2:A="1" C="x""#, #"3:A="2" B="y""#])
    }

    @Test(
        "takes every line ending, a missing last one, a byte order mark, and blank lines",
        arguments: ["A,B\n1,2\n", "A,B\r\n1,2\r\n", "A,B\r1,2", "\u{FEFF}A,B\n1,2", "A,B\n\n1,2\n\n"]
    )
    func lineEndings(text: String) async throws {
        let found = try await rows("a.csv", text)
        #expect(found.count == 1)
        #expect(found.first?.hasSuffix(#"A="1" B="2""#) == true)
    }

    @Test("keeps delimiters, quotes and line breaks inside quotes, and counts the lines they take")
    func quotes() async throws {
        let text = "A,B\n\"x, \"\"y\"\"\nz\",2\nlast,3\n"
        #expect(try await rows("a.csv", text) == [#"2:A="x, \"y\"\nz" B="2""#, #"4:A="last" B="3""#])
    }

    @Test("separates by tabs in .tsv files")
    func tabs() async throws {
        #expect(try await rows("a.tsv", "A\tB\n1,5\t2\n") == [#"2:A="1,5" B="2""#])
    }

    @Test(
        "names the line of what is malformed",
        arguments: [
            ("A,B\n1,2\n3\n", 3), ("A,B\n1,2,3\n", 2), ("A,B\n\"x\ny\",1\n\"open,2\n", 4), ("A,B\n\"x\"y,2\n", 2),
            ("A,A\n1,2\n", 1), ("A,\n1,2\n", 1),
        ]
    )
    func malformed(text: String, line: Int) async {
        let error = await failure("a.csv", text)
        #expect(error?.line == line)
        // Leaving out rows helps where rows are what is wrong, and is offered there only.
        #expect(error?.code == .malformedRow || error?.code == .malformedFile)
        #expect((error?.hint?.contains("--skip-bad-rows") == true) == (error?.code == .malformedRow))
    }

    @Test("says what the bytes are that it can't take", arguments: [("A\nx\u{0}y\n", "NUL"), ("A,a\n1,2\n", "named")])
    func texts(text: String, part: String) async {
        #expect(await failure("a.csv", text)?.message.contains(part) == true)
    }

    @Test(
        "takes no memory for a cell or a line that never ends",
        arguments: [("a.csv", "A\n\""), ("a.csv", "A\n"), ("a.jsonl", "\"")]
    )
    func endless(name: String, start: String) async {
        let error = await failure(name, start + String(repeating: "x", count: Limits.jsonBytes + 600_000))
        #expect(error?.code == .malformedFile)
    }

    @Test("refuses UTF-16 by its mark", arguments: ["a.csv", "a.json", "a.jsonl"])
    func wideText(name: String) async throws {
        try await withTemporaryDirectory { directory in
            let path = directory.appendingPathComponent(name).path
            try Data([0xFF, 0xFE, 0x41, 0, 0x0A, 0]).write(to: URL(fileURLWithPath: path))
            do throws(ImportError) {
                _ = try RowSources.open(path)
                Issue.record("opened")
            } catch {
                #expect(error.code == .malformedFile)
                #expect(error.message.contains("UTF-16"))
            }
        }
    }

    @Test("refuses an empty file, and a name that says no format")
    func nothing() async {
        #expect(await failure("a.csv", "")?.code == .nothingToImport)
        #expect(await failure("a.xlsx", "A,B")?.code == .unreadable)
    }

    @Test("refuses bytes that are not UTF-8, and reads on behind them")
    func invalidText() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory.appendingPathComponent("a.csv").path
            try Data([0x41, 0x0A, 0xFF, 0xFE, 0x0A, 0x78, 0x0A]).write(to: URL(fileURLWithPath: path))
            let source = try RowSources.open(path)
            #expect(throws: ImportError.self) { try source.next() }
            #expect(source.canResume)
            #expect(try source.next()?.line == 3)
            #expect(try source.next() == nil)
        }
    }

    @Test("reads rows that cross the blocks in which a file is read")
    func blocks() async throws {
        let cell = String(repeating: "é", count: 1_000)
        let text = "A,B\n" + (0..<400).map { "\($0),\"\(cell)\"\n" }.joined()
        let found = try await rows("a.csv", text)
        #expect(found.count == 400)
        #expect(found.last == "401:A=\"399\" B=\"\(cell)\"")
    }
}

@Suite("Reading JSON rows")
struct JSONSourceTests {
    @Test("gives an object a line of JSON Lines, with columns as they appear")
    func lines() async throws {
        let text = "{\"A\":1,\"B\":null}\n\n{\"C\":[\"x\"],\"A\":\"\"}\n"
        #expect(try await rows("a.jsonl", text) == ["1:A=1", #"3:C=["x"]"#])
    }

    @Test("takes a JSON array apart one object at a time, whatever its strings hold")
    func array() async throws {
        let text = "[ {\"A\":\"}]\\\"{\"},\n\n{\"A\":{\"x\":[1]}} ]\n"
        #expect(try await rows("a.json", text) == [#"1:A="}]\"{""#, #"3:A={"x":[1]}"#])
    }

    @Test(
        "names the line of what is malformed",
        arguments: [
            ("a.jsonl", "{\"A\":1}\n{\"A\":}\n", 2), ("a.jsonl", "[1]\n", 1), ("a.json", "{\"A\":1}", 1),
            ("a.json", "[{\"A\":1}\n{\"A\":2}]", 2), ("a.json", "[{\"A\":1},\n{\"A\":2}", 2),
            ("a.json", "[{\"A\":1}] x", 1), ("a.json", "[\n{\"A\":1,\"A\":2}]", 2), ("a.json", "[{\"A\":\"x", 1),
        ]
    )
    func malformed(name: String, text: String, line: Int) async {
        let error = await failure(name, text)
        #expect(error?.code == .malformedRow || error?.code == .malformedFile)
        #expect(error?.line == line)
        // One line is told, the file's.
        #expect(error.map { $0.message.components(separatedBy: "line ").count } == 2)
    }
}
