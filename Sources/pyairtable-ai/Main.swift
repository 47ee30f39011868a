import App
import ArgumentParser
import Domain
import Foundation

/// The one binary. Each command is a file of its own in `Commands/`.
struct PyAirtableAI: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pyairtable-ai",
        abstract:
            "The AI and semantic layer for Airtable data: search by meaning, chat with citations, MCP, and an HTTP API.",
        version: Product.version,
        subcommands: [
            Serve.self, MCPCommand.self, Import.self, ExportCommand.self, Sync.self, Index.self, SearchCommand.self,
            ChatCommand.self, JobsCommand.self, EmbedCommand.self, FormulaCommand.self, Migrate.self, UserCommand.self,
            KeyCommand.self, AuditCommand.self, BackupCommand.self, RestoreCommand.self, VaultCommand.self,
            HistoryCommand.self, UndoCommand.self, DoctorCommand.self, ConfigCommand.self, TenantCommand.self,
            ANNBench.self, EmbedBenchCommand.self, BenchCommand.self,
        ]
    )
}

@main
enum Main {
    static func main() async {
        // A closed pipe (`| head`) must end the command by an error it can see, not kill it.
        signal(SIGPIPE, SIG_IGN)
        Heap.bound()
        do {
            var command = try PyAirtableAI.parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            ExitReport.end(with: error, wantsJSON: CommandLine.arguments.contains("--json"))
        }
    }
}
