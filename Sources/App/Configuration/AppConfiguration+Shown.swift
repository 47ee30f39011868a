import Foundation
import Logging

extension AppConfiguration {
    /// Each setting and its value as it may be printed: no password, no key.
    public var shownValues: [(setting: Setting, value: String)] {
        Setting.all.map { ($0, shown($0)) }
    }

    private func shown(_ setting: Setting) -> String {
        switch setting {
        case .data: dataDirectory
        case .databaseURL: Self.withoutPassword(databaseURL)
        case .bind: bind.description
        case .adminBind: adminBind?.description ?? "off"
        case .allowedOrigins: allowedOrigins.isEmpty ? "none" : allowedOrigins.joined(separator: ",")
        case .modelDirectory: modelDirectory
        case .embedder: embedder.rawValue
        case .threads: String(threads)
        case .logLevel: logLevel.rawValue
        case .masterKeyFile: masterKeyFile
        case .masterKey: masterKey == nil ? "none" : "<redacted>"
        case .changeLogDays: String(changeLogDays)
        case .changeLogBytes: String(changeLogBytes)
        case .allowUnsafe:
            allowedUnsafe.isEmpty ? "none" : allowedUnsafe.map(\.rawValue).sorted().joined(separator: ",")
        default:
            edge.shown(setting) ?? airtable.shown(setting) ?? tokens.shown(setting) ?? identity.shown(setting)
                ?? hosted.shown(setting)
                ?? models.shown(setting) ?? "?"
        }
    }

    /// `postgres://user:secret@host/name` as `postgres://user:<redacted>@host/name`, and so for `?password=`.
    static func withoutPassword(_ url: String) -> String {
        var shown = url
        if let scheme = shown.range(of: "://") {
            let authority = shown[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" }
            if let at = authority.lastIndex(of: "@"), let colon = authority[..<at].firstIndex(of: ":") {
                shown.replaceSubrange(shown.index(after: colon)..<at, with: "<redacted>")
            }
        }
        return shown.replacing(#/(password=)[^&]*/#) { "\($0.output.1)<redacted>" }
    }
}
