import App
import ArgumentParser
import Domain

/// `config print|check`: what is set, where each value came from, and whether a server may start with it.
struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Show every setting and where it comes from, secrets redacted; or check them.",
        subcommands: [Print.self, Check.self],
        defaultSubcommand: Print.self
    )

    struct Print: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show every setting and where it comes from; secrets are redacted."
        )

        @OptionGroup var shared: SharedOptions

        @Flag(help: "Print one JSON object.")
        var json = false

        @Flag(help: "Print the table of docs/configuration.md.")
        var markdown = false

        func run() async throws {
            if markdown {
                Console.write(Setting.markdownTable)
                return
            }
            let configuration = try shared.configuration()
            if json {
                var object = JSONObject()
                for (setting, value) in configuration.shownValues {
                    let source = configuration.sources[setting]?.rawValue ?? SettingSource.default.rawValue
                    object[setting.name] = .object(["value": .string(value), "source": .string(source)])
                }
                Console.writeLine(.object(object))
                return
            }
            for (setting, value) in configuration.shownValues {
                let source = configuration.sources[setting]?.rawValue ?? SettingSource.default.rawValue
                Console.write("\(setting.name.padded(to: 18)) \(value)  (\(source))\n")
            }
            for warning in configuration.warnings { Console.writeError("warning: \(warning)\n") }
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say what `serve` would refuse to start with; exits with 4 when there is something."
        )

        @OptionGroup var shared: SharedOptions

        @Flag(help: "Print one JSON object; problems too, on standard error.")
        var json = false

        func run() async throws {
            try shared.configuration().checkSafety()
            if json {
                Console.writeLine(["safe": true])
            } else {
                Console.write("a server may start with these settings\n")
            }
        }
    }
}

extension String {
    /// With spaces behind it, so that columns align.
    func padded(to width: Int) -> String { count < width ? self + String(repeating: " ", count: width - count) : self }
}
