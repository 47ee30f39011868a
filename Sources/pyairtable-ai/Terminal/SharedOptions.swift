import App
import ArgumentParser
import Foundation

/// The options every command takes. Each is one setting; environment and config.json give what is left out.
struct SharedOptions: ParsableArguments {
    @Option(name: .long, help: "Directory of everything that is kept (default: data).")
    var data: String?

    @Option(name: .long, help: "sqlite:PATH or postgres://… (default: a SQLite file in the data directory).")
    var databaseURL: String?

    @Option(name: .long, help: "Directory of the local embedding model.")
    var modelDir: String?

    @Option(name: .long, help: "local or hash.")
    var embedder: String?

    @Option(name: .long, help: "Threads for CPU work.")
    var threads: String?

    @Option(name: .long, help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel: String?

    @Option(name: .long, help: "File of the key that encrypts stored credentials.")
    var masterKeyFile: String?

    /// The settings, with these options on top.
    func configuration(adding more: [Setting: String?] = [:]) throws -> AppConfiguration {
        var flags: [Setting: String] = [:]
        flags[.data] = data
        flags[.databaseURL] = databaseURL
        flags[.modelDirectory] = modelDir
        flags[.embedder] = embedder
        flags[.threads] = threads
        flags[.logLevel] = logLevel
        flags[.masterKeyFile] = masterKeyFile
        for (setting, value) in more where value != nil { flags[setting] = value }
        return try AppConfiguration.load(flags: flags, isTerminal: Console.isErrorTerminal)
    }
}
