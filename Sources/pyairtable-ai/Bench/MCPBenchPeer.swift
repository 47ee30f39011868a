import Domain
import Foundation

/// A program that the benchmark has started and talks to by lines.
final class LinePeer {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var buffer: [UInt8] = []
    private var chunk = [UInt8](repeating: 0, count: 256 * 1_024)

    init(_ command: [String]) throws {
        guard let program = command.first else { throw LoopbackSocket.Refused(description: "no program to start") }
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = Array(command.dropFirst())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    deinit { process.terminate() }

    /// Writes one line.
    func tell(_ line: String) throws {
        let bytes = Array((line + "\n").utf8)
        let written = write(input.fileHandleForWriting.fileDescriptor, bytes, bytes.count)
        guard written == bytes.count else { throw LoopbackSocket.Refused(description: "a line was not taken") }
    }

    /// The next line.
    func line() throws -> [UInt8] {
        var seen = 0
        while true {
            if let end = buffer[seen...].firstIndex(of: 0x0A) {
                let line = Array(buffer[..<end])
                buffer.removeSubrange(...end)
                return line
            }
            seen = buffer.count
            let count = read(output.fileHandleForReading.fileDescriptor, &chunk, chunk.count)
            guard count > 0 else {
                throw LoopbackSocket.Refused(description: "a program ended: \(process.arguments ?? [])")
            }
            buffer += chunk[..<count]
        }
    }

    /// Kilobytes of memory, by the file that stands behind them; "" for what has none.
    func residentKB() throws -> [String: Int] {
        let path = "/proc/\(process.processIdentifier)/smaps"
        // Piece by piece: the kernel gives a page at a time, and says that the file is empty.
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw LoopbackSocket.Refused(description: "\(path) cannot be read")
        }
        var bytes = Data()
        while let piece = try handle.read(upToCount: 1 << 20), !piece.isEmpty { bytes += piece }
        return Self.residentKB(in: String(decoding: bytes, as: UTF8.self))
    }

    private static func residentKB(in text: String) -> [String: Int] {
        var (path, found) = ("", [String: Int]())
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            if words.first?.hasSuffix(":") == false {
                path = words.count > 5 && words[5].hasPrefix("/") ? String(words[5]) : ""
            } else if words.first == "Rss:", words.count > 1 {
                found[path, default: 0] += Int(words[1]) ?? 0
            }
        }
        return found
    }

    func end() {
        // Its input's end is what ends a server of lines; the signal is for those of HTTP.
        try? input.fileHandleForWriting.close()
        process.terminate()
        // Some wait for clients that have gone.
        let patience = ContinuousClock.now + .seconds(3)
        while process.isRunning, ContinuousClock.now < patience { usleep(10_000) }
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
    }
}

/// One server that is measured: how it is started, and what it is asked.
struct MCPContender: Sendable {
    let name: String
    /// Speaks lines.
    let stdio: [String]
    /// Writes a line of JSON with its `url`, then takes connections.
    let http: [String]
    var key = ""

    static let handshake = """
        {"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},\
        "clientInfo":{"name":"bench","version":"1"}}}
        """
    static let opened = #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#

    static func call(_ id: Int, _ tool: String = "list_bases", _ arguments: String = "{}") -> String {
        """
        {"jsonrpc":"2.0","id":\(id),"method":"tools/call","params":{"name":"\(tool)","arguments":\(arguments)}}
        """
    }

    /// Throws unless an answer is the result of a tool that did its work.
    static func check(_ answer: some Sequence<UInt8>) throws {
        let text = String(decoding: Array(answer), as: UTF8.self)
        let result = try JSONValue(parsing: text)["result"]
        guard result?["content"] != nil, result?["isError"] != true else {
            throw LoopbackSocket.Refused(description: "no result: \(text.prefix(500))")
        }
    }

    /// A session over HTTP: the port, and what each request carries.
    func session(on peer: LinePeer) throws -> (port: Int, fields: [(name: String, value: String)]) {
        let line = try JSONValue(parsing: String(decoding: try peer.line(), as: UTF8.self))
        guard let port = line["url"]?.stringValue?.split(separator: ":").last.flatMap({ Int($0) }) else {
            throw LoopbackSocket.Refused(description: "\(name) named no port")
        }
        var fields = [(name: "Accept", value: "application/json, text/event-stream")]
        let head = try exchange(port, Self.handshake, fields, wants: 200)
        if let mark = head.range(of: "mcp-session-id:", options: .caseInsensitive) {
            let value = head[mark.upperBound...].prefix { $0 != "\r\n" }.drop { $0 == " " }
            fields += [("Mcp-Session-Id", String(value)), ("MCP-Protocol-Version", "2025-11-25")]
        }
        _ = try exchange(port, Self.opened, fields, wants: 202)
        return (port, fields)
    }

    /// The head of the answer.
    private func exchange(
        _ port: Int,
        _ body: String,
        _ fields: [(name: String, value: String)],
        wants status: Int
    ) throws -> Substring {
        let descriptor = try LoopbackSocket.connected(to: port)
        defer { _ = close(descriptor) }
        let lines = fields.map { "\($0.name): \($0.value)\r\n" }.joined()
        let head = """
            POST /mcp HTTP/1.1\r
            Host: 127.0.0.1:\(port)\r
            Authorization: Bearer \(key)\r
            Content-Type: application/json\r
            Content-Length: \(body.utf8.count)\r
            \(lines)\r

            """
        try LoopbackSocket.send(head + body, on: descriptor)
        var answer = ""
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while !answer.contains("\r\n\r\n") {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            guard count > 0 else { throw LoopbackSocket.Refused(description: "\(name) closed the connection") }
            answer += String(decoding: chunk[..<count], as: UTF8.self)
        }
        guard answer.lowercased().hasPrefix("http/1.1 \(status)") else {
            throw LoopbackSocket.Refused(description: "\(name): \(answer.prefix(500))")
        }
        return answer[...]
    }
}
