public import Foundation

/// The root of the repository: where `Package.swift` is.
public let repositoryRoot = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

/// Runs `body` with a new, empty directory, and removes it afterwards.
@discardableResult
public func withTemporaryDirectory<T>(
    isolation: isolated (any Actor)? = #isolation,
    _ body: (URL) async throws -> T
) async throws -> T {
    let directory = FileManager.default.temporaryDirectory
        .appendingPathComponent("pyairtable-test-\(UUID().uuidString)", isDirectory: true)
    try FileManager.default.createDirectory(
        at: directory,
        withIntermediateDirectories: true,
        attributes: [.posixPermissions: 0o700]
    )
    // What can't be removed lies in the system's temporary directory, and fails no test.
    defer { try? FileManager.default.removeItem(at: directory) }
    return try await body(directory)
}
