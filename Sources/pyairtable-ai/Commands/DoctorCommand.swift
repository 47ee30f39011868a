import App
import ArgumentParser
import Domain
import Logging

/// `doctor`: what the product stands on, and how to mend it.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check libraries, model, database and index, and say how to fix each."
    )

    @OptionGroup var shared: SharedOptions

    @Flag(help: "Also read everything: model, records, links, change log and each index file.")
    var verify = false

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        let configuration = try shared.configuration()
        let logger = Logger.standardError(configuration)
        let findings = await Doctor.examine(configuration, verifies: verify, logger: logger)
        let isHealthy = !findings.contains { $0.verdict == .failure }
        if json {
            Console.writeLine(["healthy": .bool(isHealthy), "findings": .array(findings.map(\.json))])
        } else {
            for finding in findings {
                let mark = finding.verdict == .ok ? "ok     " : finding.verdict == .warning ? "warning" : "FAILURE"
                Console.write("\(mark)  \(finding.name.padded(to: 9)) \(finding.message)\n")
                if let hint = finding.hint, finding.verdict != .ok { Console.write("                   \(hint)\n") }
            }
        }
        if !isHealthy { throw ExitCode(1) }
    }
}

extension Doctor.Finding {
    fileprivate var json: JSONValue {
        [
            "name": .string(name), "verdict": .string(verdict.rawValue), "message": .string(message),
            "hint": hint.map { .string($0) } ?? .null,
        ]
    }
}
