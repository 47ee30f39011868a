import App
import ArgumentParser
import Domain

/// `migrate`: brings the database's schema up to this program's. Every other command does so too when it starts.
struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Bring the database up to this program's schema.")

    @OptionGroup var shared: SharedOptions

    @Flag(help: "Only tell what would be done.")
    var dryRun = false

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        let configuration = try shared.configuration()
        let pending = try await Services.migrate(configuration, isDryRun: dryRun)
        if json {
            Console.writeLine([
                "pending": .array(dryRun ? pending.map { .string($0) } : []),
                "applied": .array(dryRun ? [] : pending.map { .string($0) }),
            ])
        } else if pending.isEmpty {
            Console.write("the database is up to date\n")
        } else {
            for id in pending { Console.write("\(dryRun ? "pending" : "applied") \(id)\n") }
        }
    }
}
