import App
import ArgumentParser
import Foundation

/// Serving what conformance suites of MCP look for. Hidden: it is of use to nobody else.
struct FixtureOptions: ParsableArguments {
    @Flag(help: ArgumentHelp("Serve the fixtures of MCP's conformance suites, and no data.", visibility: .hidden))
    var fixtures = false

    @Flag(help: ArgumentHelp("With --fixtures: MCP asks for no key.", visibility: .hidden))
    var withoutAuthorization = false

    func validate() throws {
        guard fixtures || !withoutAuthorization else {
            throw ValidationError("--without-authorization goes with --fixtures only")
        }
    }

    var mode: FixtureMode? { fixtures ? FixtureMode(isOpen: withoutAuthorization) : nil }

    /// - Throws: `ValidationError` when real data is named beside fixtures.
    func checkNoData(_ shared: SharedOptions) throws {
        guard fixtures else { return }
        guard shared.data == nil, shared.databaseURL == nil else {
            throw ValidationError("--fixtures serves no data: leave out --data and --database-url")
        }
    }

    /// A data directory for as long as the process runs; nil without fixtures.
    func scratchDirectory() throws -> ScratchDirectory? { fixtures ? try ScratchDirectory() : nil }
}

/// A directory that nobody keeps anything in.
struct ScratchDirectory {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "pyairtable-fixtures-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: url,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        path = url.path
    }

    /// That nothing is kept elsewhere, and no model is needed.
    var settings: [Setting: String?] {
        [.data: path, .databaseURL: "sqlite:\(path)/fixtures.sqlite", .embedder: "hash"]
    }

    /// What cannot be removed is left to whoever clears the temporary directory.
    func remove() { try? FileManager.default.removeItem(atPath: path) }
}
