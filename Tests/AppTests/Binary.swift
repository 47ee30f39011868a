import Domain
import Foundation
import TestSupport

/// The release binary, as a person or a program would run it. `make test` builds it before the tests.
enum Binary {
    static let url = repositoryRoot.appendingPathComponent(".build/release/pyairtable-ai")

    struct Result {
        var status: Int32
        var wasKilled: Bool
        var output: String
        var errors: String

        /// The lines of stdout as JSON.
        func json() throws -> [JSONValue] {
            try output.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
        }
    }

    /// Variables of ours that would change what the binary does are kept from it.
    static let environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("PYAIRTABLE_") }

    /// Runs to its end, at most `timeout` seconds; then it is killed and the result says so.
    static func run(
        _ arguments: [String],
        input: String = "",
        program: URL = url,
        adding variables: [String: String] = [:],
        in directory: URL = repositoryRoot,
        timeout: TimeInterval = 300
    ) async throws -> Result {
        let running = try Running(arguments, program: program, adding: variables, input: input, in: directory)
        return await running.result(timeout: timeout)
    }

    /// A process under way, its output collected in files so that no pipe can fill up.
    final class Running: @unchecked Sendable {
        // Everything is set before `init` ends; Process itself may be asked and signalled from any thread.
        let process = Process()
        private let directory: URL
        private let exited: AsyncStream<Void>

        init(
            _ arguments: [String],
            program: URL = Binary.url,
            adding variables: [String: String] = [:],
            input: String? = "",
            in place: URL = repositoryRoot
        ) throws {
            directory = FileManager.default.temporaryDirectory.appendingPathComponent("run-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            for name in ["output", "errors"] {
                try Data().write(to: directory.appendingPathComponent(name))
            }
            process.executableURL = program
            process.arguments = arguments
            process.environment = Binary.environment.merging(variables) { _, new in new }
            process.currentDirectoryURL = place
            process.standardOutput = try FileHandle(forWritingTo: directory.appendingPathComponent("output"))
            process.standardError = try FileHandle(forWritingTo: directory.appendingPathComponent("errors"))
            if let input {
                let file = directory.appendingPathComponent("input")
                try Data(input.utf8).write(to: file)
                process.standardInput = try FileHandle(forReadingFrom: file)
            }
            let (stream, continuation) = AsyncStream<Void>.makeStream()
            exited = stream
            process.terminationHandler = { _ in continuation.finish() }
            try process.run()
        }

        deinit { try? FileManager.default.removeItem(at: directory) }

        var output: String { text("output") }
        var errors: String { text("errors") }

        func kill() { Foundation.kill(process.processIdentifier, SIGKILL) }
        func terminate() { process.terminate() }

        func result(timeout: TimeInterval = 60) async -> Result {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { for await _ in self.exited {} }
                group.addTask {
                    try? await Task.sleep(for: .seconds(timeout))
                    if !Task.isCancelled { self.kill() }
                }
                await group.next()
                group.cancelAll()
            }
            process.waitUntilExit()
            let wasKilled = process.terminationReason == .uncaughtSignal
            return Result(status: process.terminationStatus, wasKilled: wasKilled, output: output, errors: errors)
        }

        private func text(_ name: String) -> String {
            let data = FileManager.default.contents(atPath: directory.appendingPathComponent(name).path) ?? Data()
            return String(decoding: data, as: UTF8.self)
        }
    }
}

/// A `serve` process on a free port, ended whatever happens.
func withServer<T>(
    data: String,
    adding arguments: [String] = [],
    variables: [String: String] = [:],
    _ body: (_ url: String, _ key: String, _ server: Binary.Running) async throws -> T
) async throws -> T {
    let server = try Binary.Running(
        ["serve", "--json", "--data", data, "--bind", "127.0.0.1:0", "--admin-bind", "off"] + arguments,
        adding: variables
    )
    defer { server.kill() }
    try await eventually("the server is ready", timeout: .seconds(60)) {
        server.output.contains("\n") || !server.process.isRunning
    }
    guard let line = server.output.split(separator: "\n").first else {
        throw TestSupportError("the server ended: \(server.errors)")
    }
    let ready = try JSONValue(parsing: String(line))
    guard let url = ready["url"]?.stringValue else { throw TestSupportError("no url in \(line)") }
    var key = ready["key"]?.stringValue
    if key == nil {
        let made = try await Binary.run(["key", "create", "--json", "--data", data] + arguments)
        key = try made.json().first?["key"]?.stringValue
    }
    return try await body(url, key ?? "", server)
}
