import Domain
import Foundation
import TestSupport
import Testing

/// Thousands of seeded documents, right and broken, are given to Python's `json` too: it has to accept the same
/// ones and read the same values, once it is told to be as strict as we are.
@Suite("JSON beside Python's")
struct JSONDifferentialTests {
    @Test("accepts the same documents and reads the same values")
    func agrees() async throws {
        let documents = Self.documents(RandomRun.count(4_000, long: 200_000))
        try await withTemporaryDirectory { directory in
            let answers = try Self.python(documents, in: directory)
            try #require(answers.count == documents.count)
            var accepted = 0
            for (document, theirs) in zip(documents, answers) {
                let ours = Self.reading(document)
                if ours != "refused" { accepted += 1 }
                #expect(
                    ours == theirs,
                    "\(String(decoding: document, as: UTF8.self).debugDescription) seed \(RandomRun.seed)"
                )
            }
            #expect(accepted > documents.count / 4 && accepted < documents.count)
        }
    }

    private static func documents(_ count: Int) -> [[UInt8]] {
        var random = RandomJSON(seed: RandomRun.seed)
        return (0..<count).map { index in
            let document = random.document(of: random.value(depth: 4))
            return index % 3 == 0 ? document : random.mutated(document)
        }
    }

    /// The value in a form that both sides can write: strings as hexadecimal UTF-8, whole numbers by their
    /// digits, all numbers by the bits of the nearest double.
    private static func reading(_ document: [UInt8]) -> String {
        do throws(JSONError) {
            return canonical(try JSONValue(parsing: document))
        } catch {
            return "refused"
        }
    }

    private static func canonical(_ value: JSONValue) -> String {
        switch value {
        case .null: return "n"
        case .bool(let value): return value ? "t" : "f"
        case .string(let text): return hex(text)
        case .array(let elements): return "[" + elements.map(canonical).joined(separator: ",") + "]"
        case .object(let members):
            return "{" + members.map { hex($0.key) + ":" + canonical($0.value) }.joined(separator: ",") + "}"
        case .number(let number):
            let isWhole = number.text.utf8.allSatisfy {
                $0 == UInt8(ascii: "-") || $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9")
            }
            // A Python integer has no negative zero.
            let isNegativeZero = number.text == "-0"
            let digits = isWhole ? (isNegativeZero ? "0" : number.text) : ""
            let bits = (isNegativeZero ? 0 : number.doubleValue).bitPattern
            return "#\(digits)/\(String(bits, radix: 16))"
        }
    }

    private static func hex(_ text: String) -> String {
        "\"" + text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() + "\""
    }

    /// Runs all documents through one process. Files, not pipes: nothing can block on a full one.
    private static func python(_ documents: [[UInt8]], in directory: URL) throws -> [String] {
        let input = directory.appendingPathComponent("documents")
        let output = directory.appendingPathComponent("answers")
        try documents.map { Data($0).base64EncodedString() }.joined(separator: "\n")
            .write(to: input, atomically: false, encoding: .utf8)
        _ = FileManager.default.createFile(atPath: output.path, contents: nil)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "python3", "-c", strictPython, String(Limits.jsonDepth), String(Limits.jsonNumberBytes),
        ]
        process.standardInput = try FileHandle(forReadingFrom: input)
        process.standardOutput = try FileHandle(forWritingTo: output)
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "python3 is needed for this test")
        return try String(contentsOf: output, encoding: .utf8).split(separator: "\n").map(String.init)
    }
}
