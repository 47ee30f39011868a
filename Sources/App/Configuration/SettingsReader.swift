import Access
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
    /// Of secrets, wherever they came from.
    private(set) var secretValues: [Setting: Secret] = [:]
    private var filePath = ""

    init(flags: [Setting: String], environment: [String: String]) {
        self.flags = flags
        self.environment = environment
    }

    /// Reads `config.json`, if there is one; unknown keys are warned of with the nearest known one.
    mutating func readFile(at path: String) {
        filePath = path
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
        let value = anyText(setting)
        if setting.isSecret { secretValues[setting] = value.map { Secret($0) } }
        return value
    }

    private mutating func anyText(_ setting: Setting) -> String? {
        if let value = flags[setting] {
            sources[setting] = .flag
            if setting == .databaseURL, AppConfiguration.withoutPassword(value) != value {
                let name = setting.environmentName
                problems.append(
                    "--database-url holds a password, which everybody on this machine can read in the list of processes; "
                        + "give it as \(name), or in a file that \(name)_FILE names"
                )
            }
            return value
        }
        if let value = environmentText(setting) {
            sources[setting] = .environment
            return value
        }
        switch file[setting.fileKey] {
        case nil, .null: break
        case .string(let value):
            sources[setting] = .file
            let isSecret = setting.isSecret || AppConfiguration.withoutPassword(value) != value
            if isSecret, let problem = SecretFile.exposure(of: filePath), !problems.contains(problem.text) {
                problems.append(problem.text)
            }
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

    mutating func refuse(_ problem: String) { problems.append(problem) }

    /// The variable itself, or what is in the file that the variable `NAME_FILE` names.
    private mutating func environmentText(_ setting: Setting) -> String? {
        let name = setting.environmentName
        let value = environment[name].flatMap { $0.isEmpty ? nil : $0 }
        guard setting.mayComeFromFile, let path = environment[name + "_FILE"], !path.isEmpty else { return value }
        guard value == nil else {
            problems.append("\(name) and \(name)_FILE are both set: unset one of them")
            return value
        }
        switch SecretFile.read(path) {
        case .success(let text): return text
        case .failure(let problem):
            problems.append("\(name)_FILE: \(problem.text)")
            return nil
        }
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
