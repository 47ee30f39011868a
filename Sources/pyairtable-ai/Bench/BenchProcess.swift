import Domain
import Foundation

/// This program started again as a server of its own, and ended with the benchmark.
final class BenchProcess {
    private let process = Process()
    private let output = Pipe()
    private var line: JSONValue?

    init(_ arguments: [String]) throws {
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    deinit { process.terminate() }

    /// The line that it writes when it takes connections.
    func ready() throws -> JSONValue {
        if let line { return line }
        var bytes: [UInt8] = []
        while bytes.last != 0x0A {
            let more = output.fileHandleForReading.availableData
            guard !more.isEmpty else { throw LoopbackSocket.Refused(description: "a server ended before it was ready") }
            bytes += more
        }
        let first = try JSONValue(parsing: String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self))
        line = first
        return first
    }

    func port() throws -> Int {
        let digits = try ready()["url"]?.stringValue?.split(separator: ":").last.flatMap { Int($0) }
        guard let digits else { throw LoopbackSocket.Refused(description: "a server named no port") }
        return digits
    }

    func residentMB() throws -> Double {
        let text = try String(contentsOfFile: "/proc/\(process.processIdentifier)/statm", encoding: .utf8)
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Double($0) } ?? 0
        return pages * Double(sysconf(Int32(_SC_PAGESIZE))) / 1_048_576
    }

    func end() {
        process.terminate()
        process.waitUntilExit()
    }
}

/// One request on a connection of its own.
enum LoopbackExchange {
    /// The body of the answer.
    static func ask(port: Int, _ text: String, wants status: Int) throws -> String {
        let descriptor = try LoopbackSocket.connected(to: port)
        defer { _ = Foundation.close(descriptor) }
        try LoopbackSocket.send(text, on: descriptor)
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            guard count > 0 else { break }
            answer += chunk[..<count]
            let whole = String(decoding: answer, as: UTF8.self)
            guard let end = whole.range(of: "\r\n\r\n") else { continue }
            let head = whole[..<end.lowerBound].lowercased()
            guard head.hasPrefix("http/1.1 \(status)") else { throw LoopbackSocket.Refused(description: whole) }
            let length = head.range(of: "content-length:").map { head[$0.upperBound...].drop { $0 == " " } }
            let bytes = length.flatMap { Int($0.prefix(while: \.isNumber)) } ?? 0
            if whole[end.upperBound...].utf8.count >= bytes { return String(whole[end.upperBound...]) }
        }
        throw LoopbackSocket.Refused(description: "no whole answer came")
    }
}
