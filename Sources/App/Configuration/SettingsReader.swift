import Domain
import Foundation

/// Where a setting's value came from.
public enum SettingSource: String, Sendable, Hashable {
    case flag, environment, file, `default`
}

/// Looks settings up in order, and gathers what is wrong with them.
struct SettingsReader {
    let flags: [Setting: String]
    let environment: [String: String]
    private(set) var file: [String: JSONValue] = [:]
    private(set) var problems: [String] = []
    private(set) var warnings: [String] = []
    private(set) var sources: [Setting: SettingSource] = [:]

    init(flags: [Setting: String], environment: [String: String]) {
        self.flags = flags
        self.environment = environment
    }

    /// Reads `config.json`, if there is one; unknown keys are warned of with the nearest known one.
    mutating func readFile(at path: String) {
        guard FileManager.default.fileExists(atPath: path) else { return }
        guard let bytes = FileManager.default.contents(atPath: path) else {
            problems.append("\(path) can't be read")
            return
        }
        do {
            guard case .object(let object) = try JSONValue(parsing: [UInt8](bytes)) else {
                problems.append("\(path) must hold a JSON object")
                return
            }
            for (key, value) in object { file[key] = value }
        } catch {
            problems.append("\(path): \(error.message)")
            return
        }
        let known = Setting.all.map(\.fileKey)
        for key in file.keys.sorted() where !known.contains(key) {
            let nearest = Spelling.nearest(to: key, among: known).map { " (did you mean \($0)?)" } ?? ""
            warnings.append("\(path): unknown setting \(key)\(nearest)")
        }
    }

    mutating func text(_ setting: Setting) -> String? {
        if let value = flags[setting] {
            sources[setting] = .flag
            return value
        }
        if let value = environment[setting.environmentName], !value.isEmpty {
            sources[setting] = .environment
            return value
        }
        switch file[setting.fileKey] {
        case nil, .null: break
        case .string(let value):
            sources[setting] = .file
            return value
        case .number(let number):
            sources[setting] = .file
            return number.text
        default:
            problems.append("\(setting.fileKey) in config.json must be a string or a number")
        }
        sources[setting] = .default
        return nil
    }

    /// The value as `parse` reads it; what it refuses becomes a problem that says what was `expected`.
    mutating func value<T>(_ setting: Setting, default fallback: T, expected: String, _ parse: (String) -> T?) -> T {
        guard let text = text(setting) else { return fallback }
        if let value = parse(text) { return value }
        let name = sources[setting] == .flag ? setting.flag ?? setting.name : setting.environmentName
        // A URL that can't be read may hold a password anywhere.
        let isHidden =
            setting.isSecret || [.databaseURL, .geminiBaseURL, .openAIBaseURL, .airtableEndpoint].contains(setting)
        let shown = isHidden ? "<redacted>" : text
        problems.append("\(name) is \(shown); expected \(expected)")
        return fallback
    }
}
