import Access
import App
import ArgumentParser
import Domain

/// `vault rotate`: another master key.
struct VaultCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vault",
        abstract: "The keys that encrypt stored credentials.",
        subcommands: [Rotate.self]
    )

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Wrap every tenant's data key with a new master key.",
            discussion: """
                Without --new-key-file a new random key takes the place of DATA/keys/master. With it, the key in that file \
                is used, and you give it to the servers as PYAIRTABLE_MASTER_KEY or PYAIRTABLE_MASTER_KEY_FILE. All or \
                nothing, and harmless to repeat. Start servers again afterwards: those that run hold the old key.
                """
        )

        @OptionGroup var shared: SharedOptions

        @Option(help: "A file that holds the new key, as `openssl rand -base64 32` makes one.", completion: .file())
        var newKeyFile: String?

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() async throws {
            try await withServices(shared, makesData: false, isQuiet: true) { services, context in
                let count = try await services.rotateMasterKey(to: newKeyFile, context: context)
                if json {
                    Console.writeLine(["dataKeys": .number(JSONNumber(count))])
                } else {
                    Console.write("\(count) data keys are wrapped with the new master key; start the servers again\n")
                }
            }
        }
    }
}
