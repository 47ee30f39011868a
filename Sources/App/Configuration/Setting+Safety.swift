extension Setting {
    public static let allowUnsafe = Setting(
        "ALLOW_UNSAFE",
        default: "none",
        flag: false,
        "What `serve` would refuse and is meant, between commas: \(UnsafeSetting.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", "))."
    )

    static let safety: [Setting] = [.allowUnsafe]

    /// Whether its value may hold a secret, so that it can also be given as a file, by the variable's name and `_FILE`.
    ///
    /// The master key has a setting of its own for that.
    var mayComeFromFile: Bool { (isSecret && self != .masterKey) || self == .databaseURL }
}

/// What a server does not start with unless it is said to be meant.
public enum UnsafeSetting: String, Sendable, Hashable, CaseIterable {
    case plainHTTP = "plain-http"
    case publicAdmin = "public-admin"
    case debugLog = "debug-log"
    case scriptedModel = "scripted-model"
    case exampleSecret = "example-secret"

    static func read(_ reader: inout SettingsReader) -> Set<UnsafeSetting> {
        let known = allCases.map(\.rawValue).joined(separator: ", ")
        return reader.value(.allowUnsafe, default: [], expected: "words between commas, of \(known); or none") { text in
            if text == "none" { return [] }
            let words = text.split(separator: ",").map { $0.filter { !$0.isWhitespace } }
            let settings = words.compactMap(Self.init(rawValue:))
            return settings.count == words.count && !words.isEmpty ? Set(settings) : nil
        }
    }
}
