import Foundation
import TestSupport

/// The demo base, imported and indexed by the real binary with the real model: made once, for every test that needs it.
enum DemoData {
    /// Tests read it; a test that writes takes a copy.
    static func directory() async throws -> String { try await made.value }

    /// A copy that a test may change.
    static func copy(to directory: URL) async throws -> String {
        let target = directory.appendingPathComponent("demo").path
        try FileManager.default.copyItem(atPath: try await self.directory(), toPath: target)
        return target
    }

    // Unstructured, and owned by the process: the work is shared by all tests and outlives none of them.
    private static let made = Task {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
            "pyairtable-demo-\(UUID().uuidString)"
        )
        removedAtExit.path = directory.path
        atexit { try? FileManager.default.removeItem(atPath: removedAtExit.path) }
        let data = ["--data", directory.path]
        for arguments in [["import", "Examples/periodic-table"], ["index"]] {
            let result = try await Binary.run(arguments + data, timeout: 1_200)
            guard result.status == 0 else { throw TestSupportError("\(arguments): \(result.errors)") }
        }
        return directory.path
    }
}

// Written once, before the handler that reads it is registered.
private nonisolated(unsafe) let removedAtExit = Removal()
private final class Removal { var path = "" }
