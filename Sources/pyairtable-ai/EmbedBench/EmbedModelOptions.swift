import ArgumentParser
import Embeddings
import Foundation

/// Where the model is, and how many threads encode: options that `embed` and `embed-bench` share.
struct EmbedModelOptions: ParsableArguments {
    @Option(help: "Threads that encode (default: one a core).")
    var threads: Int?

    @Option(help: "The model's directory (default: PYAIRTABLE_MODEL_DIR, else models/all-MiniLM-L6-v2).")
    var modelDir: String?

    mutating func validate() throws {
        if let threads, !(1...256).contains(threads) {
            throw ValidationError("--threads must be from 1 to 256")
        }
    }

    var threadCount: Int { threads ?? ProcessInfo.processInfo.activeProcessorCount }

    func load() throws -> TransformerEmbedder {
        try .load(directory: modelDir ?? Self.defaultDirectory(), pool: ComputePool(threads: threadCount))
    }

    /// `PYAIRTABLE_MODEL_DIR`, else `models/all-MiniLM-L6-v2` under the current directory or a directory above the
    /// executable (in a checkout that is the package's root).
    static func defaultDirectory() -> String {
        let name = "models/all-MiniLM-L6-v2"
        if let named = ProcessInfo.processInfo.environment["PYAIRTABLE_MODEL_DIR"], !named.isEmpty { return named }
        func exists(_ directory: String) -> Bool {
            FileManager.default.fileExists(atPath: directory + "/config.json")
        }
        let here = FileManager.default.currentDirectoryPath + "/" + name
        if exists(here) { return here }
        if var directory = Bundle.main.executableURL?.resolvingSymlinksInPath().deletingLastPathComponent() {
            while directory.path != "/" {
                let candidate = directory.path + "/" + name
                if exists(candidate) { return candidate }
                directory.deleteLastPathComponent()
            }
        }
        return here
    }
}
