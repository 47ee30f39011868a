import Access
public import Foundation
import Outbound

extension AppConfiguration {
    /// These settings over a private directory for the bases of the token in AIRTABLE_API_KEY, for who has set up nothing else.
    ///
    /// - Returns: nil where a data directory or database is named, or lies where one is looked for, and without a token.
    public func withoutSetUp(
        environment: [String: String] = ProcessInfo.processInfo.environment,
        home: String = NSHomeDirectory(),
        isThere: (String) -> Bool = { FileManager.default.fileExists(atPath: $0) }
    ) throws -> AppConfiguration? {
        let isNamed = [Setting.data, .databaseURL].contains { (sources[$0] ?? .default) != .default }
        guard !isNamed, !isThere(dataDirectory), let token = hosted.token else {
            return nil
        }
        let state = environment["XDG_STATE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? home + "/.local/state"
        // One for each token: two of them may see different bases.
        let name = Secret("\(hosted.endpoint)\n\(token.revealed)").fingerprint(for: "hosted data directory")
        var result = self
        result.dataDirectory = "\(state)/pyairtable-ai/hosted-\(name)"
        result.databaseURL = "sqlite:\(result.dataDirectory)/pyairtable.sqlite"
        if (sources[.masterKeyFile] ?? .default) == .default {
            result.masterKeyFile = result.dataDirectory + "/keys/master"
        }
        if embedder == .local, (sources[.modelDirectory] ?? .default) == .default,
            !FileManager.default.fileExists(atPath: modelDirectory)
        {
            result.embedder = .hash
            result.warnings.append(
                "there is no embedding model in \(modelDirectory), so records are found by their words only (docs/search.md)"
            )
        }
        return result
    }
}
