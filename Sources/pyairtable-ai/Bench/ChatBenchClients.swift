import Foundation

/// Many clients of event streams in one thread: `poll` and nothing else, so that they take little of the machine.
///
/// A token is `t`, nanoseconds, `;`. It may be cut anywhere by a read, a chunk or the server, but for digits: the
/// server sends whole events, and an event is one chunk.
struct ChatBenchClients {
    struct Outcome: Sendable {
        /// Milliseconds from a token's making to its arrival.
        var latencies = LatencyTally()
        /// Streams that ended with the run's last event, after all of its text.
        var wholeCount = 0
        var residentBytesMax = 0
    }

    private struct Client {
        let descriptor: Int32
        /// What came since the last whole token.
        var rest: [UInt8] = []
        var isWhole = false
        var isOpen = true
    }

    private var clients: [Client] = []
    private static let ending = Array("event: run.completed".utf8)
    /// Without a byte on any stream for this long, the rest is given up.
    private static let patienceMilliseconds: Int32 = 30_000

    init(port: Int, requests: [(key: String, path: String)]) throws {
        let body = #"{"content":"What time is it?"}"#
        for request in requests {
            let descriptor = try LoopbackSocket.connected(to: port)
            try LoopbackSocket.send(
                """
                POST \(request.path) HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer \(request.key)\r
                Accept: text/event-stream\r\nContent-Type: application/json\r
                Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)
                """,
                on: descriptor
            )
            clients.append(Client(descriptor: descriptor))
        }
    }

    /// Opens WebSockets that then say nothing, each waited for.
    static func openSockets(_ count: Int, port: Int, keys: [String]) throws -> [Int32] {
        try (0..<count).map { number in
            let descriptor = try LoopbackSocket.connected(to: port)
            try LoopbackSocket.send(
                """
                GET /api/v1/chat/ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r
                Authorization: Bearer \(keys[number % keys.count])\r\nSec-WebSocket-Version: 13\r
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n
                """,
                on: descriptor
            )
            var buffer = [UInt8](repeating: 0, count: 1_024)
            let length = recv(descriptor, &buffer, buffer.count, 0)
            let answer = String(decoding: buffer.prefix(max(0, length)), as: UTF8.self)
            guard answer.hasPrefix("HTTP/1.1 101") else {
                throw LoopbackSocket.Refused(description: "the socket got \(answer)")
            }
            return descriptor
        }
    }

    /// Reads every stream to its end.
    consuming func run(residentBytes: () -> Int) -> Outcome {
        var outcome = Outcome()
        var buffer = [UInt8](repeating: 0, count: 64 * 1_024)
        var reads = 0
        while true {
            let open = clients.indices.filter { clients[$0].isOpen }
            guard !open.isEmpty else { break }
            var polled = open.map { pollfd(fd: clients[$0].descriptor, events: Int16(POLLIN), revents: 0) }
            guard poll(&polled, nfds_t(polled.count), Self.patienceMilliseconds) > 0 else { break }
            for (position, poll) in zip(open, polled) where poll.revents != 0 {
                let length = recv(clients[position].descriptor, &buffer, buffer.count, 0)
                let now = ClockModel.nanoseconds()
                guard length > 0 else {
                    clients[position].isOpen = false
                    outcome.wholeCount += clients[position].isWhole ? 1 : 0
                    close(clients[position].descriptor)
                    continue
                }
                Self.read(buffer[..<length], into: &clients[position], at: now, &outcome)
                reads += 1
                if reads % 1_000 == 0 { outcome.residentBytesMax = max(outcome.residentBytesMax, residentBytes()) }
            }
        }
        return outcome
    }

    private static func read(
        _ bytes: ArraySlice<UInt8>,
        into client: inout Client,
        at now: Int,
        _ outcome: inout Outcome
    ) {
        client.rest += bytes
        var start = client.rest.startIndex
        while let end = client.rest[start...].firstIndex(of: UInt8(ascii: ";")) {
            let piece = client.rest[start..<end]
            if let letter = piece.lastIndex(of: UInt8(ascii: "t")),
                let time = Int(String(decoding: piece[(letter + 1)...], as: UTF8.self)), time > 1_000_000_000
            {
                outcome.latencies.add(Double(now - time) / 1_000_000)
            }
            start = end + 1
        }
        client.rest.removeSubrange(..<start)
        if client.rest.firstRange(of: ending) != nil { client.isWhole = true }
        // What is no token: between events, and after the last one.
        if client.rest.count > 4_096 { client.rest.removeFirst(client.rest.count - 1_024) }
    }

}
