import App
import ArgumentParser
import Domain

/// `config`: what is set, and where each value came from.
struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
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

extension String {
    /// With spaces behind it, so that columns align.
    func padded(to width: Int) -> String { count < width ? self + String(repeating: " ", count: width - count) : self }
}
