import ArgumentParser
import Foundation
import Tools

/// How tools that change something are offered.
struct WriteOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Tools that change something: ask (the user, through the client), dry-run (or the hash of a dry run given back),"
                + " off.",
            valueName: "mode"
        )
    )
    var writes: Choice = .ask

    /// The same as arguments.
    var arguments: [String] { writes == .ask ? [] : ["--writes", writes.rawValue] }

    enum Choice: String, ExpressibleByArgument, CaseIterable {
        case ask
        case dryRun = "dry-run"
        case off
    }

    var mode: WriteMode {
        switch writes {
        case .ask: .asking
        case .dryRun: .dryRun
        case .off: .off
        }
    }
}

/// Which files may be imported: only where the user is at this machine.
struct ImportRootOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The directory below which import_data may read files.", valueName: "directory"))
    var importRoot: String?

    /// The same as arguments.
    var arguments: [String] {
        importRoot.map { ["--import-root", URL(fileURLWithPath: $0).standardizedFileURL.path] } ?? []
    }

    func validate() throws {
        guard let importRoot else { return }
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: importRoot, isDirectory: &isDirectory), isDirectory.boolValue
        else {
            throw ValidationError("--import-root: \(importRoot) is no directory")
        }
    }
}
