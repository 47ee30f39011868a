import Access
import Domain
import Foundation
import TestSupport
import Testing

@testable import App

@Suite("Unsafe configuration")
struct SafetyTests {
    private func load(_ environment: [String: String] = [:], flags: [Setting: String] = [:]) throws -> AppConfiguration
    {
        var flags = flags
        flags[.data] = flags[.data] ?? "/nowhere/data"
        return try AppConfiguration.load(flags: flags, environment: environment)
    }

    private func problems(_ environment: [String: String], flags: [Setting: String] = [:]) throws -> [String] {
        do {
            try load(environment, flags: flags).checkSafety()
            return []
        } catch let error as ConfigurationError {
            #expect(error.code == .unsafeSetting)
            return error.problems
        }
    }

    @Test("OPS-01: what is unsafe is refused with the reason, the remedy, and the word that says it is meant")
    func refusals() throws {
        let table: [(environment: [String: String], word: String, says: String)] = [
            (["PYAIRTABLE_BIND": "0.0.0.0:8080"], "plain-http", "TLS_CERTIFICATE"),
            (["PYAIRTABLE_BIND": "[::]:8080"], "plain-http", "TRUSTED_PROXIES"),
            (["PYAIRTABLE_BIND": "192.168.1.5:80"], "plain-http", "others can reach"),
            (["PYAIRTABLE_BIND": "example.org:80"], "plain-http", "others can reach"),
            (["PYAIRTABLE_ADMIN_BIND": "0.0.0.0:8081"], "public-admin", "metrics"),
            (["PYAIRTABLE_BIND": "0.0.0.0:80", "PYAIRTABLE_LOG_LEVEL": "debug"], "debug-log", "use info"),
            (["PYAIRTABLE_BIND": "0.0.0.0:80", "PYAIRTABLE_CHAT_SCRIPT": "/x"], "scripted-model", "CHAT_SCRIPT"),
            (["GEMINI_API_KEY": "changeme"], "example-secret", "GEMINI_API_KEY"),
            (["OPENAI_API_KEY": "<your key>"], "example-secret", "OPENAI_API_KEY"),
            (["OPENAI_API_KEY": "your-api-key-here"], "example-secret", "OPENAI_API_KEY"),
            (["AIRTABLE_API_KEY": "xxxxxxxxxxxx"], "example-secret", "AIRTABLE_API_KEY"),
            (["PYAIRTABLE_DATABASE_URL": "postgres://u:postgres@db.example/x"], "example-secret", "DATABASE_URL"),
        ]
        for (environment, word, says) in table {
            let found = try problems(environment)
            let note = Comment(rawValue: "\(environment): \(found)")
            #expect(found.contains { $0.contains(word) && $0.contains(says) && $0.contains("ALLOW_UNSAFE") }, note)
            // No secret in what is said.
            for value in environment.filter({ $0.key.hasSuffix("API_KEY") }).values {
                #expect(!found.contains { $0.contains(value) }, note)
            }
            var meant = environment
            meant["PYAIRTABLE_ALLOW_UNSAFE"] = UnsafeSetting.allCases.map(\.rawValue).joined(separator: ", ")
            #expect(try problems(meant) == [], note)
        }
    }

    @Test("OPS-01: what is safe, or only for this machine, is not refused")
    func accepted() throws {
        for environment in [
            [:], ["PYAIRTABLE_BIND": "127.0.0.1:0"], ["PYAIRTABLE_BIND": "[::1]:80"],
            ["PYAIRTABLE_BIND": "localhost:80"],
            ["PYAIRTABLE_LOG_LEVEL": "trace", "PYAIRTABLE_CHAT_SCRIPT": "/x"], ["PYAIRTABLE_ADMIN_BIND": "off"],
            ["GEMINI_API_KEY": "AIzaSyD3x9Q2k7Lm5Nf8Pb1Rc4Tv6Wz0Yh2Jg"],
            ["PYAIRTABLE_DATABASE_URL": "postgres://postgres:postgres@127.0.0.1/x"],
            ["PYAIRTABLE_DATABASE_URL": "postgres://u:8fJq2LmXw0@db.example/x"],
        ] {
            #expect(try problems(environment) == [], "\(environment)")
        }
    }

    @Test("OPS-01: an origin is never a wildcard, null, or more than a scheme, a host and a port")
    func origins() {
        for origin in ["*", "null", "https://*", "https://*.example.org", "example.org", "https://a.example/path", ""] {
            #expect(throws: ConfigurationError.self, "\(origin)") {
                _ = try load(["PYAIRTABLE_ALLOWED_ORIGINS": origin.isEmpty ? "," : origin])
            }
        }
    }

    @Test("OPS-01: serve refuses to start, tells all of it at once, and makes nothing")
    func serve() async throws {
        try await withTemporaryDirectory { directory in
            let data = directory.path + "/data"
            let result = try await Binary.run(
                ["serve", "--data", data, "--bind", "0.0.0.0:0", "--admin-bind", "0.0.0.0:0", "--embedder", "hash"],
                timeout: 60
            )
            #expect(result.status == 4 && !result.wasKilled)
            #expect(result.errors.contains("plain-http") && result.errors.contains("public-admin"))
            #expect(!FileManager.default.fileExists(atPath: data))
            let check = try await Binary.run(
                ["config", "check", "--data", data, "--json"],
                adding: ["PYAIRTABLE_BIND": "0.0.0.0:0"]
            )
            #expect(check.status == 4)
            #expect(try await Binary.run(["config", "check", "--data", data]).status == 0)
        }
    }
}

@Suite("Secrets of the configuration")
struct SecretSettingTests {
    private static let secrets = Setting.all.filter(\.isSecret)

    private static func load(_ environment: [String: String], flags: [Setting: String] = [:]) throws -> AppConfiguration
    {
        var flags = flags
        flags[.data] = flags[.data] ?? "/nowhere/data"
        return try AppConfiguration.load(flags: flags, environment: environment)
    }

    /// Something that the setting takes, with a marked secret in it.
    private static func sample(_ setting: Setting) -> String {
        switch setting {
        case .databaseURL: "postgres://u:zqsecretzq@h/d"
        case .smtpURL: "smtps://u:zqsecretzq@mail.example:465"
        default: "zqsecretzq"
        }
    }

    @Test("OPS-03: no secret has a flag, and a URL's password is refused there")
    func flags() {
        #expect(Self.secrets.count >= 4)
        for setting in Self.secrets { #expect(setting.flag == nil, "\(setting.name)") }
        #expect(throws: ConfigurationError.self) {
            _ = try Self.load([:], flags: [.databaseURL: "postgres://u:zqsecretzq@h/d"])
        }
        do { _ = try Self.load([:], flags: [.databaseURL: "postgres://u:zqsecretzq@h/d"]) } catch {
            #expect(!"\(error)".contains("zqsecretzq"))
            let message = (error as? ConfigurationError)?.message ?? ""
            #expect(message.contains("PYAIRTABLE_DATABASE_URL_FILE"))
        }
    }

    @Test(
        "OPS-03: every secret is also taken from NAME_FILE, unless everybody may read it",
        arguments: secrets + [.databaseURL]
    )
    func files(_ setting: Setting) async throws {
        if setting == .masterKey { return }
        try await withTemporaryDirectory { directory in
            let path = directory.path + "/secret"
            let value = Self.sample(setting)
            try Data((value + "\n").utf8).write(to: URL(fileURLWithPath: path))
            let environment = [setting.environmentName + "_FILE": path]
            for mode in [0o600, 0o400, 0o640, 0o440] {
                try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
                let configuration = try Self.load(environment)
                #expect(configuration.secretValues[setting]?.revealed == value || configuration.databaseURL == value)
                #expect(configuration.sources[setting] == .environment)
                #expect(!configuration.shownValues.contains { $0.value.contains("zqsecretzq") })
            }
            for mode in [0o644, 0o604, 0o666] {
                try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
                #expect(throws: ConfigurationError.self) { _ = try Self.load(environment) }
            }
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
            // Given twice, nobody knows which is meant.
            #expect(throws: ConfigurationError.self) {
                _ = try Self.load(environment.merging([setting.environmentName: value]) { $1 })
            }
            try Data().write(to: URL(fileURLWithPath: path))
            #expect(throws: ConfigurationError.self) { _ = try Self.load(environment) }
            #expect(throws: ConfigurationError.self) {
                _ = try Self.load([setting.environmentName + "_FILE": path + "x"])
            }
        }
    }

    @Test("OPS-03: a config.json that holds a secret and that everybody may read is refused")
    func configFile() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory.path + "/config.json"
            try Data(#"{"geminiApiKey":"zqsecretzq"}"#.utf8).write(to: URL(fileURLWithPath: path))
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
            #expect(throws: ConfigurationError.self) { _ = try Self.load([:], flags: [.data: directory.path]) }
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
            #expect(try Self.load([:], flags: [.data: directory.path]).models.geminiKey != nil)
            try Data(#"{"bind":"127.0.0.1:1"}"#.utf8).write(to: URL(fileURLWithPath: path))
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
            #expect(try Self.load([:], flags: [.data: directory.path]).bind.port == 1)
        }
    }

    @Test("OPS-03: config print shows no secret, wherever it came from, as text and as JSON")
    func print() async throws {
        try await withTemporaryDirectory { directory in
            var environment: [String: String] = [:]
            for setting in Self.secrets where setting != .masterKey {
                environment[setting.environmentName] = Self.sample(setting)
            }
            environment["PYAIRTABLE_MASTER_KEY"] = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA="
            environment["PYAIRTABLE_DATABASE_URL"] = "postgres://u:zqsecretzq@127.0.0.1/d?password=zqsecretzq"
            for arguments in [["config", "print"], ["config", "print", "--json"], ["config"], ["config", "check"]] {
                let result = try await Binary.run(
                    arguments + (arguments.count == 1 ? [] : ["--data", directory.path]),
                    adding: environment
                )
                #expect(result.status == 0, "\(result.errors)")
                for text in [result.output, result.errors] {
                    #expect(!text.contains("zqsecretzq") && !text.contains("q83vEjRW"), "\(arguments)")
                }
            }
        }
    }

    @Test("KEY-05: vault rotate puts a new master key in place, tells the audit log, and credentials live on")
    func rotate() async throws {
        try await withTemporaryDirectory { directory in
            let options = ["--data", directory.path + "/data"]
            #expect(try await Binary.run(["key", "create"] + options).status == 0)
            #expect(try await Binary.run(["audit", "verify"] + options).status == 0)
            let first = FileManager.default.contents(atPath: directory.path + "/data/keys/master")
            let rotated = try await Binary.run(["vault", "rotate", "--json"] + options)
            #expect(rotated.status == 0, "\(rotated.errors)")
            let second = FileManager.default.contents(atPath: directory.path + "/data/keys/master")
            #expect(second != nil && first != second)
            let log = try await Binary.run(["audit", "export"] + options)
            #expect(log.output.contains("master-key.rotated"))
            let verified = try await Binary.run(["audit", "verify"] + options)
            #expect(verified.status == 0, "\(verified.output)")
            let elsewhere = try await Binary.run(
                ["vault", "rotate"] + options,
                adding: ["PYAIRTABLE_MASTER_KEY": "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA="]
            )
            #expect(elsewhere.status == 1 && elsewhere.errors.contains("--new-key-file"))
        }
    }
}
