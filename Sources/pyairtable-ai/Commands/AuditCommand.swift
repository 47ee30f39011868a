import Access
import App
import ArgumentParser
import Domain

/// `audit verify|export`: the log of who did what.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Verify and export the log of who did what.",
        subcommands: [Verify.self, Export.self]
    )

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Look for entries that were changed, deleted, moved or cut off.",
            discussion: """
                Reads every entry of every tenant and holds it against the hashes and against the signed checkpoints in the \
                database and in DATA/audit/checkpoints.jsonl. Exits with 1 when something is wrong.
                """
        )

        @OptionGroup var shared: SharedOptions

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() async throws {
            try await withServices(shared, makesData: false, isQuiet: true) { services, _ in
                let reports = try await services.auditVerifier().verify()
                let isSound = reports.allSatisfy { $0.finding == nil }
                if json {
                    Console.writeLine(["sound": .bool(isSound), "chains": .array(reports.map(\.json))])
                } else {
                    for report in reports { Console.write(report.line) }
                }
                if !isSound { throw ExitCode(1) }
            }
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write the log of the data directory's tenant as JSON Lines."
        )

        @OptionGroup var shared: SharedOptions

        @Option(help: "The file to write (default: standard output).", completion: .file())
        var output: String?

        func run() async throws {
            try await withServices(shared, makesData: false, isQuiet: true) { services, context in
                var target = try OutputFile(path: output)
                let count = try await services.access.audit.export(context: context) { try target.write(Array($0)) }
                try target.finish()
                try await services.access.audit.record(
                    .auditExported,
                    by: context,
                    object: AuditObject(.log, context.tenant),
                    details: [.records: "\(count)"]
                )
                if output != nil { Console.writeError("wrote \(count) entries\n") }
            }
        }
    }
}

extension AuditReport {
    fileprivate var line: String {
        let state = finding.map { "BROKEN  \($0.message)" } ?? "sound"
        return "\(chain)  \(entries) entries, \(checkpoints) checkpoints  \(state)\n"
    }

    fileprivate var json: JSONValue {
        var members: JSONObject = [
            "chain": .string(chain), "entries": .number(JSONNumber(Int(entries))),
            "checkpoints": .number(JSONNumber(checkpoints)),
        ]
        if let finding {
            members["finding"] = [
                "problem": .string(finding.problem.rawValue), "sequence": .number(JSONNumber(Int(finding.sequence))),
                "message": .string(finding.message),
            ]
        }
        return .object(members)
    }
}
