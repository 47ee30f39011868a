import Access
import Domain
public import Foundation
public import Logging

/// Every setting, read once, typed and validated; services receive values, never a reader or the environment.
public struct AppConfiguration: Sendable {
    public var dataDirectory: String
    public var databaseURL: String
    public var bind: BindAddress
    /// nil when the admin listener is off.
    public var adminBind: BindAddress?
    public var allowedOrigins: [String]
    public var modelDirectory: String
    public var embedder: EmbedderChoice
    public var threads: Int
    public var logLevel: Logger.Level
    public var masterKeyFile: String
    /// From the environment, in place of the file; never printed.
    public var masterKey: String?
    public var changeLogDays: Int
    public var changeLogBytes: Int64
    public var edge: EdgeSettings
    public var airtable: AirtableSettings
    /// Access tokens and sessions.
    public var tokens: SignInSettings
    /// Accounts, passwords, mails.
    public var identity: IdentitySettings
    /// The hosted service, for bases that live there.
    public var hosted: HostedSettings
    /// Language and embedding models beyond the local one.
    public var models: ModelSettings
    /// What is unsafe and meant.
    public var allowedUnsafe: Set<UnsafeSetting>
    /// Secrets as they were given, to be looked at and never printed.
    var secretValues: [Setting: Secret]
    /// Unknown settings and the like: to be logged once.
    public var warnings: [String]
    /// Where each setting's value came from.
    public var sources: [Setting: SettingSource]

    public enum EmbedderChoice: String, Sendable, CaseIterable {
        case local, hash
    }

    /// Reads all settings.
    ///
    /// - Throws: one `ConfigurationError` that lists every problem.
    public static func load(
        flags: [Setting: String] = [:],
        environment: [String: String] = ProcessInfo.processInfo.environment,
        isTerminal: Bool = false
    ) throws -> AppConfiguration {
        var reader = SettingsReader(flags: flags, environment: environment)
        let data = absolute(reader.text(.data) ?? Setting.data.defaultText)
        reader.readFile(at: data + "/config.json")
        let address = "HOST:PORT, such as 127.0.0.1:8080"
        let models = ModelSettings(&reader)
        let airtable = AirtableSettings(&reader)
        let configuration = AppConfiguration(
            dataDirectory: data,
            databaseURL: databaseURL(&reader, data),
            bind: reader.value(
                .bind,
                default: BindAddress(host: "127.0.0.1", port: 8080),
                expected: address,
                BindAddress.init
            ),
            adminBind: reader.value(
                .adminBind,
                default: BindAddress(host: "127.0.0.1", port: 8081),
                expected: "\(address), or off",
                { text in text == "off" ? .some(nil) : BindAddress(text).map { .some($0) } }
            ),
            allowedOrigins: reader.value(
                .allowedOrigins,
                default: [],
                expected: "origins between commas, such as https://notes.example, or none",
                origins
            ),
            modelDirectory: absolute(reader.text(.modelDirectory) ?? defaultModelDirectory()),
            embedder: reader.value(.embedder, default: .local, expected: "local or hash", EmbedderChoice.init),
            threads: threads(&reader),
            logLevel: logLevel(&reader, default: isTerminal ? .notice : .info),
            masterKeyFile: absolute(reader.text(.masterKeyFile) ?? data + "/keys/master"),
            masterKey: reader.text(.masterKey),
            changeLogDays: reader.value(
                .changeLogDays,
                default: 30,
                expected: "a number of days, at least 1",
                { Int($0).flatMap { $0 >= 1 ? $0 : nil } }
            ),
            changeLogBytes: reader.value(
                .changeLogBytes,
                default: 1 << 30,
                expected: "a number of bytes, at least 1048576",
                { Int64($0).flatMap { $0 >= 1 << 20 ? $0 : nil } }
            ),
            edge: EdgeSettings(&reader),
            airtable: airtable,
            tokens: SignInSettings(&reader, publicURL: airtable.publicURL),
            identity: IdentitySettings(&reader, data: data, publicURL: airtable.publicURL),
            hosted: HostedSettings(&reader, allowing: models.outboundAllow),
            models: models,
            allowedUnsafe: UnsafeSetting.read(&reader),
            secretValues: [:],
            warnings: [],
            sources: [:]
        )
        guard reader.problems.isEmpty else { throw ConfigurationError(.invalidSetting, reader.problems) }
        return configuration.finished(by: reader)
    }

    private static func databaseURL(_ reader: inout SettingsReader, _ data: String) -> String {
        reader.value(
            .databaseURL,
            default: "sqlite:\(data)/pyairtable.sqlite",
            expected: "sqlite:PATH or postgres://…",
            { text in ["sqlite:", "postgres://", "postgresql://"].contains { text.hasPrefix($0) } ? text : nil }
        )
    }

    private static func threads(_ reader: inout SettingsReader) -> Int {
        reader.value(
            .threads,
            default: ProcessInfo.processInfo.activeProcessorCount,
            expected: "a number from 1 to 256",
            { Int($0).flatMap { (1...256).contains($0) ? $0 : nil } }
        )
    }

    private static func logLevel(_ reader: inout SettingsReader, default level: Logger.Level) -> Logger.Level {
        reader.value(
            .logLevel,
            default: level,
            expected: Logger.Level.allCases.map(\.rawValue).joined(separator: ", "),
            { Logger.Level(rawValue: $0.lowercased()) }
        )
    }

    private func finished(by reader: SettingsReader) -> Self {
        var result = self
        result.warnings = reader.warnings
        result.secretValues = reader.secretValues
        result.sources = reader.sources
        return result
    }

    /// Nil when one of them is more or less than a scheme, a host and perhaps a port.
    private static func origins(_ text: String) -> [String]? {
        if text == "none" { return [] }
        let origins = text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        let areGood = origins.allSatisfy { origin in
            guard let url = URL(string: origin), let scheme = url.scheme, let host = url.host() else { return false }
            let port = url.port.map { ":\($0)" } ?? ""
            return !host.isEmpty && !host.contains("*")
                && origin.lowercased() == "\(scheme)://\(host)\(port)".lowercased()
        }
        return areGood && !origins.isEmpty ? origins : nil
    }

    private static func absolute(_ path: String) -> String {
        URL(fileURLWithPath: path).standardizedFileURL.path
    }

    /// `models/…` under the current directory, or else under the nearest directory above the executable that has it.
    private static func defaultModelDirectory() -> String {
        let relative = Setting.modelDirectory.defaultText
        if FileManager.default.fileExists(atPath: relative) { return relative }
        var directory = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        while directory.path != "/" {
            let candidate = directory.appendingPathComponent(relative).path
            if FileManager.default.fileExists(atPath: candidate) { return candidate }
            directory.deleteLastPathComponent()
        }
        return relative
    }
}
