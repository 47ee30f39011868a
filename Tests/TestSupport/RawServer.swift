import Foundation
import Synchronization

/// A TCP server on 127.0.0.1 that does to each connection what its script says, byte by byte.
///
/// Scripts run on threads of their own and may block; every wait of theirs ends after `RawServer.patience`. The server
/// is over when it is let go, or by `stop()`.
public final class RawServer: Sendable {
    /// What a script waits for at most, so that no test can hang.
    public static let patience: Duration = .seconds(20)

    public let port: Int
    private let listener: Int32
    private let isStopped = Mutex(false)

    public var url: String { "http://127.0.0.1:\(port)" }

    /// - Parameter script: gets each connection, numbered from 1; the connection is closed when it returns.
    public init(_ script: @escaping @Sendable (RawPeer) throws -> Void) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard listener >= 0 else { throw TestSupportError("no socket: \(errno)") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(listener, generic, length) == 0 && listen(listener, 128) == 0
                    && getsockname(listener, generic, &length) == 0
            }
        }
        guard isBound else { throw TestSupportError("the server could not listen: \(errno)") }
        self.listener = listener
        port = Int(UInt16(bigEndian: address.sin_port))
        let thread = Thread { [weak self] in
            var number = 0
            while true {
                let accepted = accept(listener, nil, nil)
                guard accepted >= 0, let self, !self.isStopped.withLock({ $0 }) else {
                    if accepted >= 0 { close(accepted) }
                    break
                }
                number += 1
                self.serve(RawPeer(accepted, number: number), script)
            }
            close(listener)
        }
        thread.start()
    }

    deinit { stop() }

    /// Ends listening; connections under way end with their scripts.
    public func stop() {
        let stopsNow = isStopped.withLock { isStopped in
            defer { isStopped = true }
            return !isStopped
        }
        if stopsNow { shutdown(listener, Int32(SHUT_RDWR)) }
    }

    private func serve(_ peer: RawPeer, _ script: @escaping @Sendable (RawPeer) throws -> Void) {
        let thread = Thread {
            // A script whose peer went away, or never sent what it waits for, is simply over; the test looks at effects.
            try? script(peer)
            peer.close()
        }
        thread.start()
    }
}

/// One connection of `RawServer`. For its script's thread only, but for `close()`.
public final class RawPeer: Sendable {
    /// From 1, in the order of arrival.
    public let number: Int
    private let socket: Int32
    private let state = Mutex(State())

    private struct State {
        var isClosed = false
        var unread: [UInt8] = []
    }

    init(_ socket: Int32, number: Int) {
        self.socket = socket
        self.number = number
        var timeout = timeval(tv_sec: Int(RawServer.patience.components.seconds), tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var one: Int32 = 1
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Sends all of it.
    ///
    /// - Throws: when the peer is gone, or takes nothing for too long.
    public func send(_ bytes: some Collection<UInt8>) throws {
        let bytes = Array(bytes)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Foundation.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw TestSupportError("the peer takes nothing: \(errno)") }
            sent += count
        }
    }

    public func send(_ text: String) throws { try send(Array(text.utf8)) }

    /// The next request, with its body when it has a Content-Length; nil when the peer closed instead.
    public func request() throws -> RawRequest? {
        var bytes = state.withLock { state in
            defer { state.unread = [] }
            return state.unread
        }
        while true {
            if let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) {
                let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
                var request = RawRequest(head: head)
                let length = request.header("content-length").flatMap { Int($0) } ?? 0
                let bodyEnd = end.upperBound + length
                if bytes.count >= bodyEnd {
                    request.body = Array(bytes[end.upperBound..<bodyEnd])
                    let rest = Array(bytes[bodyEnd...])
                    state.withLock { $0.unread = rest }
                    return request
                }
            }
            guard let piece = try receive() else { return nil }
            bytes += piece
        }
    }

    /// Waits until the peer closes, whatever it sends before.
    ///
    /// - Throws: when it does not.
    public func waitForClose() throws {
        while try receive() != nil {}
    }

    public func close() {
        let closesNow = state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
        if closesNow { _ = Foundation.close(socket) }
    }

    /// Ends the connection with a reset instead of an end.
    public func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    /// What comes next; nil at the end, however it came.
    private func receive() throws -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(socket, &buffer, buffer.count, 0)
        if count > 0 { return Array(buffer[..<count]) }
        if count < 0, errno == EAGAIN { throw TestSupportError("the peer sent nothing for \(RawServer.patience)") }
        return nil
    }
}

/// A request as it came.
public struct RawRequest: Sendable {
    /// Request line and headers, without the empty line.
    public let head: String
    public var body: [UInt8] = []

    public var line: String { String(head.prefix { $0 != "\r\n" }) }
    /// Such as `/v1/models?limit=1`.
    public var path: String { line.split(separator: " ").dropFirst().first.map(String.init) ?? "" }
    public var bodyText: String { String(decoding: body, as: UTF8.self) }

    /// The value of the header of that name in lower case.
    public func header(_ name: String) -> String? {
        for line in head.split(separator: "\r\n").dropFirst() {
            guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == name else { continue }
            return line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
        return nil
    }
}

extension RawPeer {
    /// Answers with a whole reply.
    public func reply(
        _ status: Int = 200,
        _ body: String,
        type: String = "application/json",
        headers: [String] = []
    ) throws {
        let extra = headers.map { $0 + "\r\n" }.joined()
        let head = "HTTP/1.1 \(status) Status\r\ncontent-type: \(type)\r\ncontent-length: \(body.utf8.count)\r\n"
        try send(head + extra + "\r\n" + body)
    }

    /// Begins a reply that ends with `endChunks()`, or is cut.
    public func beginChunks(_ status: Int = 200, type: String = "text/event-stream") throws {
        try send("HTTP/1.1 \(status) Status\r\ncontent-type: \(type)\r\ntransfer-encoding: chunked\r\n\r\n")
    }

    public func chunk(_ bytes: some Collection<UInt8>) throws {
        try send(Array((String(bytes.count, radix: 16) + "\r\n").utf8) + bytes + Array("\r\n".utf8))
    }

    public func chunk(_ text: String) throws { try chunk(Array(text.utf8)) }

    public func endChunks() throws { try send("0\r\n\r\n") }
}
