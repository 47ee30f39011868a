import Domain
import Foundation
import TestSupport

/// A client of one connection that blocks its thread: many of them on threads of their own are a load.
final class SocketClient {
    struct Reply {
        let status: Int
        let body: JSONValue
    }

    private let descriptor: Int32
    private let key: String
    private var received: [UInt8] = []

    init(port: UInt16, key: String) throws {
        self.key = key
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr = in_addr(s_addr: inet_addr("127.0.0.1"))
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
        }
        guard result == 0 else { throw TestSupportError("connect: \(String(cString: strerror(errno)))") }
        // A server that answers nothing for a minute fails the test in place of holding it for ever.
        var timeout = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// - Throws: when the connection ends before the whole answer has come.
    func send(_ method: String, _ path: String, _ body: JSONValue? = nil) throws -> Reply {
        let content = body?.encoded() ?? []
        var request = "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(key)\r\n"
        if body != nil { request += "Content-Type: application/json\r\n" }
        request += "Content-Length: \(content.count)\r\n\r\n"
        try write(Array(request.utf8) + content)
        let head = try readHead()
        let lines = head.split(separator: "\r\n")
        guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }),
            let length = lines.first(where: { $0.lowercased().hasPrefix("content-length:") })
                .flatMap({ Int($0.split(separator: ":")[1].trimmingPrefix(" ")) })
        else { throw TestSupportError("no answer: \(head)") }
        while received.count < length { try receive() }
        let bytes = Array(received.prefix(length))
        received.removeFirst(length)
        return Reply(status: status, body: bytes.isEmpty ? .null : try JSONValue(parsing: bytes))
    }

    private func readHead() throws -> String {
        let end = Array("\r\n\r\n".utf8)
        while true {
            if let range = received.firstRange(of: end) {
                defer { received.removeSubrange(..<range.upperBound) }
                return String(decoding: received[..<range.lowerBound], as: UTF8.self)
            }
            try receive()
        }
    }

    private func receive() throws {
        var block = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &block, block.count, 0)
        guard count > 0 else { throw TestSupportError("the connection ended") }
        received += block[..<count]
    }

    private func write(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw TestSupportError("the connection ended") }
            rest = rest.dropFirst(count)
        }
    }
}

/// Runs `body` on that many threads at once, and waits for all. Threads, not tasks: each blocks.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) async {
    await withTaskGroup(of: Void.self) { group in
        for number in 0..<count {
            group.addTask {
                await withCheckedContinuation { done in
                    Thread.detachNewThread {
                        body(number)
                        done.resume()
                    }
                }
            }
        }
    }
}
