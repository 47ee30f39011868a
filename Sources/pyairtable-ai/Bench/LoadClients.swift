import Foundation

/// Some connections that each ask, wait for the answer, and ask again, in one thread: `poll` and nothing else.
///
/// The benchmark's server runs in the same process on the same cores, so what these clients take is missing there.
struct LoadClients {
    struct Outcome: Sendable {
        var answers = 0
        var seconds = 0.0
        var latencies = LatencyTally()

        var perSecond: Double { seconds > 0 ? Double(answers) / seconds : 0 }
    }

    private struct Client {
        let descriptor: Int32
        var buffer: [UInt8] = []
        /// Where the answer's body lies, once its head is there.
        var body: Range<Int>?
        var asked = 0
    }

    private let head: String
    private let latencyStep: Double

    private var clients: [Client] = []
    private static let patienceMilliseconds: Int32 = 60_000

    /// - Parameters:
    ///   - key: of the API, sent with each request.
    ///   - fields: further header fields of each request.
    ///   - latencyStep: milliseconds that latencies are told apart by.
    init(
        port: Int,
        connections: Int,
        key: String,
        fields: [(name: String, value: String)] = [],
        latencyStep: Double = 0.05
    ) throws {
        let lines = fields.map { "\($0.name): \($0.value)\r\n" }.joined()
        head = "HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nAuthorization: Bearer \(key)\r\n\(lines)"
        self.latencyStep = latencyStep
        for _ in 0..<connections { clients.append(Client(descriptor: try LoopbackSocket.connected(to: port))) }
    }

    func close() { for client in clients { _ = Foundation.close(client.descriptor) } }

    /// Asks until `next` gives nothing more, and waits for every answer.
    ///
    /// - Parameters:
    ///   - next: method and path, and a JSON body.
    ///   - onAnswer: sees each body.
    mutating func run(
        next: () -> (line: String, body: String?)?,
        onAnswer: (ArraySlice<UInt8>) throws -> Void = { _ in }
    ) throws -> Outcome {
        var outcome = Outcome(latencies: LatencyTally(step: latencyStep))
        let start = ClockModel.nanoseconds()
        var open = 0
        for position in clients.indices where try ask(position, next) { open += 1 }
        var polled = clients.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        var chunk = [UInt8](repeating: 0, count: 256 * 1_024)
        while open > 0 {
            guard poll(&polled, nfds_t(polled.count), Self.patienceMilliseconds) > 0 else {
                throw LoopbackSocket.Refused(description: "no answer came")
            }
            for position in polled.indices where polled[position].revents != 0 {
                let count = recv(clients[position].descriptor, &chunk, chunk.count, 0)
                guard count > 0 else { throw LoopbackSocket.Refused(description: "a connection ended") }
                clients[position].buffer += chunk[..<count]
                guard let body = try Self.body(&clients[position]) else { continue }
                outcome.latencies.add(Double(ClockModel.nanoseconds() - clients[position].asked) / 1_000_000)
                outcome.answers += 1
                try onAnswer(clients[position].buffer[body])
                clients[position].buffer.removeAll(keepingCapacity: true)
                clients[position].body = nil
                if try !ask(position, next) {
                    open -= 1
                    polled[position].fd = -1
                }
            }
        }
        outcome.seconds = Double(ClockModel.nanoseconds() - start) / 1e9
        return outcome
    }

    private mutating func ask(_ position: Int, _ next: () -> (line: String, body: String?)?) throws -> Bool {
        guard let (line, body) = next() else { return false }
        var text = "\(line) \(head)"
        if let body { text += "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)" }
        if body == nil { text += "\r\n" }
        clients[position].asked = ClockModel.nanoseconds()
        try LoopbackSocket.send(text, on: clients[position].descriptor)
        return true
    }

    /// Where the body of a whole answer lies; nil while some of it is missing.
    private static func body(_ client: inout Client) throws -> Range<Int>? {
        if client.body == nil {
            guard let end = headEnd(client.buffer) else { return nil }
            let head = String(decoding: client.buffer[..<end], as: UTF8.self).lowercased()
            guard head.hasPrefix("http/1.1 200"), let mark = head.range(of: "content-length:") else {
                throw LoopbackSocket.Refused(description: String(decoding: client.buffer.prefix(1_000), as: UTF8.self))
            }
            let digits = head[mark.upperBound...].drop { $0 == " " }.prefix(while: \.isNumber)
            client.body = end..<(end + (Int(digits) ?? 0))
        }
        guard let body = client.body, client.buffer.count >= body.upperBound else { return nil }
        return body
    }

    private static func headEnd(_ bytes: [UInt8]) -> Int? {
        var position = 3
        while position < bytes.count {
            if bytes[position] == 0x0A, bytes[position - 2] == 0x0A { return position + 1 }
            position += 1
        }
        return nil
    }
}
