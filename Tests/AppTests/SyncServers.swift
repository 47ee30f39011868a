import Domain
import Foundation
import Synchronization
import TestSupport

/// A `serve` process and the API of a base of it, by curl.
struct BaseClient: Sendable {
    let url: String
    let key: String
    /// Its data directory.
    let data: String

    func json(_ method: String, _ path: String, _ body: JSONValue? = nil) async throws -> JSONValue {
        var arguments = [
            "-sS", "--fail-with-body", "-X", method, "\(url)\(path)", "-H", "Authorization: Bearer \(key)",
        ]
        if let body { arguments += ["-H", "Content-Type: application/json", "-d", body.text] }
        let reply = try await Binary.run(arguments, program: URL(fileURLWithPath: "/usr/bin/curl"), timeout: 60)
        guard reply.status == 0 else { throw TestSupportError("\(method) \(path): \(reply.errors)\(reply.output)") }
        return try JSONValue(parsing: reply.output)
    }

    /// Every record of a table, by identifier, as the API gives it.
    func records(_ base: String, _ table: String) async throws -> [String: JSONValue] {
        var found: [String: JSONValue] = [:]
        var offset: String?
        repeat {
            let rest = offset.map {
                "&offset=" + ($0.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")
            }
            let page = try await json("GET", "/v0/\(base)/\(table)?returnFieldsByFieldId=true\(rest ?? "")")
            for record in page["records"]?.arrayValue ?? [] { found[record["id"]?.stringValue ?? ""] = record }
            offset = page["offset"]?.stringValue
        } while offset != nil
        return found
    }
}

/// Stands between a gateway and its upstream: limits calls as the hosted service does, and does harm.
///
/// More than five calls of a base within a second are refused for two seconds.
final class FaultyProxy: Sendable {
    private struct State {
        var generator: SeededGenerator
        var isFaulty = false
        var recent: [ContinuousClock.Instant] = []
        var lockedUntil: ContinuousClock.Instant?
    }

    private let state: Mutex<State>
    private let server = Mutex<RawServer?>(nil)

    /// - Parameter target: the port on this machine that is called.
    init(to target: Int, seed: UInt64) throws {
        state = Mutex(State(generator: SeededGenerator(seed: seed)))
        let made = try RawServer { [weak self] peer in
            while let request = try peer.request() {
                guard let self else { return }
                try self.serve(request, peer, target)
            }
        }
        server.withLock { $0 = made }
    }

    var url: String { server.withLock { $0?.url ?? "" } }
    func setFaulty(_ isFaulty: Bool) { state.withLock { $0.isFaulty = isFaulty } }
    func stop() { server.withLock { $0 }?.stop() }

    private enum Deed { case pass, refuse, fail, failAfter, cut, cutAfter, slow }

    private func serve(_ request: RawRequest, _ peer: RawPeer, _ target: Int) throws {
        let deed = state.withLock { state in Self.deed(&state, at: .now) }
        switch deed {
        case .refuse:
            return try peer.reply(429, #"{"errors":[{"error":"RATE_LIMIT_REACHED"}]}"#, headers: ["retry-after: 2"])
        case .fail: return try peer.reply(500, #"{"error":"SERVER_ERROR"}"#)
        case .cut: return peer.reset()
        case .slow: Thread.sleep(forTimeInterval: 0.3)
        case .pass, .failAfter, .cutAfter: break
        }
        let reply = try Self.forward(request, to: target)
        switch deed {
        case .failAfter: try peer.reply(503, #"{"error":"SERVICE_UNAVAILABLE"}"#)
        case .cutAfter: peer.reset()
        default: try peer.reply(reply.status, reply.body)
        }
    }

    private static func deed(_ state: inout State, at now: ContinuousClock.Instant) -> Deed {
        if let end = state.lockedUntil, now < end { return .refuse }
        state.recent.removeAll { $0 + .seconds(1) <= now }
        state.recent.append(now)
        if state.recent.count > 5 {
            state.lockedUntil = now + .seconds(2)
            return .refuse
        }
        guard state.isFaulty else { return .pass }
        switch Int.random(in: 0..<100, using: &state.generator) {
        case 0..<3: return .fail
        case 3..<6: return .failAfter
        case 6..<9: return .cut
        case 9..<12: return .cutAfter
        case 12..<14: return .slow
        case 14: return .refuse
        default: return .pass
        }
    }

    /// One exchange with the server behind, on a connection of its own.
    private static func forward(_ request: RawRequest, to port: Int) throws -> (status: Int, body: String) {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw TestSupportError("no socket: \(errno)") }
        defer { close(descriptor) }
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isConnected else { throw TestSupportError("the server behind is not there: \(errno)") }
        let lines = request.head.split(separator: "\r\n").filter { !$0.lowercased().hasPrefix("connection:") }
        var bytes = Array((lines.joined(separator: "\r\n") + "\r\nconnection: close\r\n\r\n").utf8) + request.body
        while !bytes.isEmpty {
            let count = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            guard count > 0 else { throw TestSupportError("the server behind takes nothing: \(errno)") }
            bytes.removeFirst(count)
        }
        var reply: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count <= 0 { break }
            reply += buffer[..<count]
        }
        guard let end = reply.firstRange(of: Array("\r\n\r\n".utf8)) else {
            throw TestSupportError("the server behind answered nothing")
        }
        let head = String(decoding: reply[..<end.lowerBound], as: UTF8.self)
        let status = Int(head.split(separator: " ").dropFirst().first ?? "") ?? 0
        return (status, String(decoding: reply[end.upperBound...], as: UTF8.self))
    }
}
