import ArgumentParser
import Domain
import Formula
import Foundation

/// `formula`: Airtable's formula language at the command line.
struct FormulaCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "formula",
        abstract: "Evaluate and explain Airtable formulas.",
        subcommands: [FormulaEvalCommand.self, FormulaCheckCommand.self]
    )
}

/// `formula eval`: the value of one formula, or of a formula a line.
struct FormulaEvalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Print the value of a formula as JSON.",
        discussion: """
            Values have the shapes of cells in Airtable's API. With --batch, each line of standard input is \
            {"id","formula","fields"?,"types"?,"now"?,"timeZone"?} and is answered by a line {"id","value"}.
            """
    )

    @Argument(help: "The formula.")
    var formula: String?

    @Option(help: "A JSON object of cells by field name.")
    var fields: String = "{}"

    @Option(help: "A JSON object of Airtable field types by field name; without, the JSON kind decides.")
    var types: String = "{}"

    @Option(help: "The moment of NOW() and TODAY(), as ISO 8601; without, the clock's.")
    var now: String?

    @Option(help: "The IANA name of a time zone; without, UTC.")
    var timeZone: String?

    @Flag(help: "Read questions from standard input, one JSON object a line.")
    var batch = false

    mutating func validate() throws {
        if batch == (formula != nil) {
            throw ValidationError("give a formula, or --batch and questions on standard input")
        }
        if let now, Instant(iso8601: now) == nil {
            throw ValidationError("--now must be a time like 2024-05-01T12:00:00Z")
        }
    }

    func run() async throws {
        guard let formula else { return try FormulaBatch.run(now: Instant.now) }
        var question: JSONObject = [
            "formula": .string(formula), "fields": try Self.object(fields, "--fields"),
            "types": try Self.object(types, "--types"),
        ]
        if let now { question["now"] = .string(now) }
        if let timeZone { question["timeZone"] = .string(timeZone) }
        let answer = FormulaQuestion.answer(.object(question), now: Instant.now())
        guard let message = answer["message"]?.stringValue else {
            Console.writeLine(answer["value"] ?? .null)
            return
        }
        guard let position = answer["position"]?.intValue else { throw ValidationError(message) }
        throw FormulaError(
            .syntax,
            "\(message) (at character \(position + 1))",
            at: position,
            hint: answer["hint"]?.stringValue
        )
    }

    static func object(_ text: String, _ option: String) throws -> JSONValue {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: text)
        } catch {
            throw ValidationError("\(option) is not JSON: \(error.message)")
        }
        guard value.objectValue != nil else { throw ValidationError("\(option) must be a JSON object") }
        return value
    }
}

/// `formula check`: what a formula gives and hangs on, or what is wrong with it.
struct FormulaCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Explain a formula: its type, fields and functions, or where it is wrong.",
        discussion: "Ends with 1 when the formula is not valid. Without --types, every name in it is taken for a field."
    )

    @Argument(help: "The formula.")
    var formula: String

    @Option(help: "A JSON object of Airtable field types by field name: the fields that exist.")
    var types: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        var schema: FormulaSchema?
        if let types {
            let object = try FormulaEvalCommand.object(types, "--types").objectValue ?? [:]
            schema = try FormulaQuestion.schema(types: object)
        }
        let explanation = FormulaExplanation(formula, schema: schema)
        if json {
            Console.writeLine(explanation.json)
        } else {
            Console.writeText(explanation.report + "\n")
        }
        if case .invalid = explanation.verdict { throw ExitCode(1) }
    }
}

/// Answers standard input line by line. No line ends it, and none is kept longer than its answer takes.
enum FormulaBatch {
    /// - Parameter now: the moment of questions that name none.
    static func run(now: InstantSource) throws {
        var line: [UInt8] = []
        while case let bytes = try FileHandle.standardInput.read(upToCount: 1 << 18) ?? Data(), !bytes.isEmpty {
            var output: [UInt8] = []
            for byte in bytes {
                if byte == UInt8(ascii: "\n") {
                    output += answer(&line, now())
                } else if line.count <= Limits.jsonBytes {
                    // One byte more than any JSON that is read: what is longer is answered as too long.
                    line.append(byte)
                }
            }
            Console.write(output, to: STDOUT_FILENO)
        }
        Console.write(answer(&line, now()), to: STDOUT_FILENO)
    }

    /// Empties the line. Blank lines have no answer.
    private static func answer(_ line: inout [UInt8], _ now: Instant) -> [UInt8] {
        defer { line.removeAll(keepingCapacity: true) }
        guard line.contains(where: { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\r") }) else { return [] }
        return FormulaQuestion.answer(line: line, now: now) + [UInt8(ascii: "\n")]
    }
}
