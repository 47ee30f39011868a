import Foundation

/// The repository as text: what a reviewer would read.
enum Repository {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    struct Source: CustomStringConvertible {
        /// From the root, such as `Sources/Domain/Records/Record.swift`.
        let path: String
        let text: String
        var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
        var description: String { path }
        /// `Domain` of `Sources/Domain/…`; nil elsewhere.
        var target: String? {
            let parts = path.split(separator: "/")
            return parts.count > 2 && parts[0] == "Sources" ? String(parts[1]) : nil
        }
    }

    /// Files below `folder` whose name ends so, in order.
    static func files(below folder: String, endings: [String]) -> [Source] {
        let start = root.appendingPathComponent(folder)
        guard let enumerator = FileManager.default.enumerator(at: start, includingPropertiesForKeys: nil) else {
            return []
        }
        var found: [Source] = []
        for case let url as URL in enumerator where endings.contains(url.pathExtension) {
            guard let data = FileManager.default.contents(atPath: url.path) else { continue }
            let path = url.path.replacing(root.path + "/", with: "")
            found.append(Source(path: path, text: String(decoding: data, as: UTF8.self)))
        }
        return found.sorted { $0.path < $1.path }
    }

    static let swiftSources = files(below: "Sources", endings: ["swift"])
    static let swiftTests = files(below: "Tests", endings: ["swift"])

    /// What git knows of, or would; the paths of files that exist.
    static func trackedPaths() throws -> [String] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["git", "ls-files", "-co", "--exclude-standard"]
        process.currentDirectoryURL = root
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
            .filter { FileManager.default.fileExists(atPath: root.appendingPathComponent($0).path) }
    }
}
