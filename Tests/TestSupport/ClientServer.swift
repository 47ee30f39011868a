import Foundation
import Synchronization

/// A program of `Tests/Clients` that serves on 127.0.0.1: it prints `{"port": N}` as its first line, and ends when its
/// standard input does, so at the latest with the tests.
public final class ClientServer: Sendable {
    public let port: Int
    /// Held so that it stays open; nothing is ever written.
    private let input: Mutex<Pipe>

    public var url: String { "http://127.0.0.1:\(port)" }

    /// Whether the Python clients are installed.
    public static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: python.path) }

    private static var python: URL { repositoryRoot.appendingPathComponent(".venv/bin/python") }

    public init(_ script: String) async throws {
        let process = Self.process(script, [])
        let input = Pipe()
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        let line = Guarded<[UInt8]>([])
        output.fileHandleForReading.readabilityHandler = { handle in
            let data = handle.availableData
            if data.isEmpty { handle.readabilityHandler = nil }
            line.update { $0 += data }
        }
        try process.run()
        try await eventually("the port of \(script)", timeout: .seconds(60)) { line.value.contains(10) }
        let text = String(decoding: line.value, as: UTF8.self)
        guard let port = Int(text.filter(\.isNumber)) else { throw TestSupportError("\(script) printed \(text)") }
        self.port = port
        self.input = Mutex(input)
    }

    /// Runs a program of `Tests/Clients` to its end, and gives its exit code with what it wrote on standard error.
    public static func run(_ script: String, _ arguments: [String]) async throws -> (status: Int32, errors: String) {
        let process = process(script, arguments)
        let errors = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardError = errors
        let written = Guarded<[UInt8]>([])
        let isWritten = Guarded(false)
        errors.fileHandleForReading.readabilityHandler = { handle in
            let data = handle.availableData
            written.update { $0 += data }
            if data.isEmpty {
                handle.readabilityHandler = nil
                isWritten.value = true
            }
        }
        try process.run()
        try await eventually("the end of \(script)", timeout: .seconds(120)) { isWritten.value && !process.isRunning }
        return (process.terminationStatus, String(decoding: written.value, as: UTF8.self))
    }

    private static func process(_ script: String, _ arguments: [String]) -> Process {
        let process = Process()
        process.executableURL = python
        process.arguments = [repositoryRoot.appendingPathComponent("Tests/Clients/\(script)").path] + arguments
        process.currentDirectoryURL = repositoryRoot
        return process
    }
}
