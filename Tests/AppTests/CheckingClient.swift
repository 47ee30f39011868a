import Domain
import Foundation
import TestSupport
import Testing

/// A program of `Tests/Clients` that checks a server and prints one JSON object a check.
enum CheckingClient {
    private static let python = repositoryRoot.appendingPathComponent(".venv/bin/python")

    /// Runs it, and expects that every check passes.
    ///
    /// - Parameter count: of checks, so that none is lost without notice.
    static func expectAll(
        _ script: String,
        _ arguments: [String],
        atLeast count: Int,
        adding variables: [String: String] = [:],
        timeout: TimeInterval = 600
    ) async throws {
        let path = repositoryRoot.appendingPathComponent("Tests/Clients/\(script)").path
        let result = try await Binary.run([path] + arguments, program: python, adding: variables, timeout: timeout)
        let lines = try result.json()
        let missed = lines.filter { !["pass", nil].contains($0["status"]?.stringValue) }
        #expect(missed.isEmpty, "\(missed.prefix(20).map(\.text).joined(separator: "\n"))")
        let end = try #require(lines.last, "\(result.errors.suffix(2_000))")
        #expect(end["event"] == "done", "\(result.errors.suffix(2_000))")
        #expect(end["pass"]?.intValue ?? 0 >= count)
        #expect(result.status == 0)
    }
}
