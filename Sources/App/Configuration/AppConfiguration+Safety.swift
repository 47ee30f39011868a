import Access
import Foundation
import Logging

extension AppConfiguration {
    /// Refuses settings with which a server should not be reachable, each with what to do about it.
    ///
    /// A server that only its own machine reaches may be as it likes, but for secrets that are no secrets.
    ///
    /// - Throws: one `ConfigurationError` that lists everything.
    public func checkSafety() throws {
        let found = unsafe.filter { !allowedUnsafe.contains($0.setting) }
        guard found.isEmpty else {
            throw ConfigurationError(
                .unsafeSetting,
                found.map { "\($0.problem); if it is meant, add \($0.setting.rawValue) to PYAIRTABLE_ALLOW_UNSAFE" }
            )
        }
    }

    private var unsafe: [(setting: UnsafeSetting, problem: String)] {
        var found: [(UnsafeSetting, String)] = []
        if !bind.isLoopback {
            if !isSet("TLS_CERTIFICATE"), !isSet("TRUSTED_PROXIES") {
                found.append(
                    (
                        .plainHTTP,
                        "BIND is \(bind), which others can reach, and keys would travel in the clear: set TLS_CERTIFICATE "
                            + "and TLS_KEY, or TRUSTED_PROXIES to the proxy that ends TLS"
                    )
                )
            }
            if logLevel < .info {
                found.append(
                    (.debugLog, "LOG_LEVEL is \(logLevel.rawValue) on a server that others can reach: use info")
                )
            }
            if models.chatScript != nil {
                found.append((.scriptedModel, "CHAT_SCRIPT makes a test's script answer people: unset it"))
            }
        }
        if let adminBind, !adminBind.isLoopback {
            found.append(
                (
                    .publicAdmin,
                    "ADMIN_BIND is \(adminBind), where others can read the metrics: use 127.0.0.1, or a network of its own"
                )
            )
        }
        for (name, value) in secrets where Self.isExample(value) {
            found.append((.exampleSecret, "\(name) is an example, not a secret"))
        }
        return found
    }

    private func isSet(_ name: String) -> Bool { sources.contains { $0.key.name == name && $0.value != .default } }

    /// What is secret, by the names under which it was given.
    private var secrets: [(name: String, value: String)] {
        var found = secretValues.map { ($0.key.environmentName, $0.value.revealed) }.sorted { $0.0 < $1.0 }
        if let password = URLComponents(string: databaseURL)?.password, !isLocalDatabase {
            found.append(("the password of DATABASE_URL", password))
        }
        return found
    }

    private var isLocalDatabase: Bool {
        let host = URLComponents(string: databaseURL)?.host ?? ""
        return host.isEmpty || BindAddress(host: host, port: 0).isLoopback
    }

    /// The words that documents and templates put where a secret belongs.
    static func isExample(_ secret: String) -> Bool {
        let text = secret.lowercased().filter { $0.isLetter || $0.isNumber }
        if text.isEmpty || Set(text).count == 1 { return true }
        let words = [
            "changeme", "changethis", "replaceme", "secret", "password", "passw0rd", "example", "placeholder",
            "postgres",
            "todo", "test", "admin", "default", "token", "apikey", "key", "insecure", "letmein", "none", "null",
            "undefined",
        ]
        if words.contains(text) || secret.hasPrefix("<") || secret.hasPrefix("${") { return true }
        return (text.hasPrefix("your") || text.hasPrefix("my"))
            && words.contains { text.hasSuffix($0) || text.hasSuffix($0 + "here") }
    }
}
