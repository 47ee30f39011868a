import Domain
import Foundation
import Synchronization
import TestSupport

/// An `mcp` process and a plain client of it: a line out, a line back.
final class MCPProcess: @unchecked Sendable {
    // Everything is set before `init` ends; what changes later is the inbox's.
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private let inbox = Inbox()

    /// What came, apart from the process, so that the reading thread keeps nothing else alive.
    private final class Inbox: Sendable {
        let state = Mutex(State())
    }

    fileprivate struct State {
        var buffer: [UInt8] = []
        var replies: [Int: JSONValue] = [:]
        var lastID = 0
        var strayLines: [String] = []
    }

    init(_ options: [String]) async throws {
        process.executableURL = Binary.url
        process.arguments = ["mcp"] + options
        process.environment = Binary.environment
        process.currentDirectoryURL = repositoryRoot
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        output.fileHandleForReading.readabilityHandler = { [inbox] handle in
            let data = handle.availableData
            if data.isEmpty { handle.readabilityHandler = nil }
            inbox.state.withLock { $0.take([UInt8](data)) }
        }
        try process.run()
        _ = try await call(
            "initialize",
            [
                "protocolVersion": "2025-11-25", "capabilities": [:],
                "clientInfo": ["name": "test", "version": "1"],
            ]
        )
        try send(["jsonrpc": "2.0", "method": "notifications/initialized"])
    }

    /// Lines on stdout that were no reply: there must be none.
    var strayLines: [String] { inbox.state.withLock { $0.strayLines } }

    /// The structured content of a tool's result.
    func tool(_ name: String, _ arguments: JSONObject) async throws -> JSONValue {
        let result = try await call("tools/call", ["name": .string(name), "arguments": .object(arguments)])
        guard result["isError"]?.boolValue != true, let content = result["structuredContent"] else {
            throw TestSupportError("\(name): \(result.text)")
        }
        return content
    }

    func kill() {
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    private func call(_ method: String, _ parameters: JSONObject) async throws -> JSONValue {
        let id = inbox.state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        try send([
            "jsonrpc": "2.0", "id": .number(JSONNumber(id)), "method": .string(method), "params": .object(parameters),
        ])
        try await eventually("the reply to \(method)", timeout: .seconds(60)) {
            inbox.state.withLock { $0.replies[id] != nil }
        }
        let reply = inbox.state.withLock { $0.replies.removeValue(forKey: id) }
        guard let result = reply?["result"] else { throw TestSupportError("\(method): \(reply?.text ?? "")") }
        return result
    }

    private func send(_ message: JSONObject) throws {
        try input.fileHandleForWriting.write(contentsOf: Data((JSONValue.object(message).text + "\n").utf8))
    }
}

extension MCPProcess.State {
    fileprivate mutating func take(_ bytes: [UInt8]) {
        buffer += bytes
        while let end = buffer.firstIndex(of: 10) {
            let line = String(decoding: buffer[..<end], as: UTF8.self)
            buffer.removeFirst(end + 1)
            if let reply = try? JSONValue(parsing: line), let id = reply["id"]?.intValue {
                replies[id] = reply
            } else {
                strayLines.append(line)
            }
        }
    }
}
