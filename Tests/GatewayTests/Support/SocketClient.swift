import Domain
import Foundation

@testable import Gateway

/// A WebSocket by hand: what is sent and read is under the test's control to the byte.
final class SocketClient {
    struct Frame: Hashable {
        var opcode: UInt8
        var bytes: [UInt8]
        var isFinal = true
        var text: String { String(decoding: bytes, as: UTF8.self) }
        var json: JSONValue? { try? JSONValue(parsing: bytes) }
        /// Of a close frame.
        var code: Int? { opcode == 8 && bytes.count >= 2 ? Int(bytes[0]) << 8 | Int(bytes[1]) : nil }
    }

    let connection: ByteConnection
    /// Where the first frame begins.
    private(set) var start = 0
    /// Frames that `next` has given.
    private var taken = 0

    /// The handshake of RFC 6455's own example, which has this answer.
    static let key = "dGhlIHNhbXBsZSBub25jZQ=="
    static let accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

    init(port: Int, readsAll: Bool = true) async throws {
        connection = try await ByteConnection(port: port, readsAll: readsAll)
    }

    static func handshake(
        query: String = "",
        headers: [String] = [],
        version: String = "13",
        key: String = key,
        path: String = SocketHandshake.path
    ) -> String {
        """
        GET \(path)\(query) HTTP/1.1\r\nHost: 127.0.0.1:1\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r
        Sec-WebSocket-Key: \(key)\r\nSec-WebSocket-Version: \(version)\r\n\(headers.map { $0 + "\r\n" }.joined())\r\n
        """
    }

    /// Opens a socket and checks the server's answer.
    static func open(port: Int, key: String, readsAll: Bool = true) async throws -> SocketClient {
        let client = try await SocketClient(port: port, readsAll: readsAll)
        try await client.connection.send(handshake(headers: ["Authorization: Bearer \(key)"]))
        try await client.opened()
        return client
    }

    /// Waits for the answer to the handshake, which must be 101.
    func opened() async throws {
        try await connection.read(until: "\r\n\r\n")
        let head = connection.text.lowercased()
        guard head.hasPrefix("http/1.1 101 "), head.contains(Self.accept.lowercased()),
            let range = connection.bytes.firstRange(of: "\r\n\r\n".utf8)
        else { throw ByteConnection.Ended(bytes: connection.bytes) }
        start = range.upperBound
    }

    func send(_ message: JSONValue) async throws { try await send(1, message.encoded()) }

    func send(_ opcode: UInt8, _ bytes: [UInt8], isFinal: Bool = true, isMasked: Bool = true) async throws {
        try await connection.send(Self.frame(opcode, bytes, isFinal: isFinal, isMasked: isMasked))
    }

    static func frame(_ opcode: UInt8, _ bytes: [UInt8], isFinal: Bool = true, isMasked: Bool = true) -> [UInt8] {
        var frame = [opcode | (isFinal ? 0x80 : 0)]
        let mask: UInt8 = isMasked ? 0x80 : 0
        switch bytes.count {
        case ..<126: frame.append(mask | UInt8(bytes.count))
        case ..<65_536: frame += [mask | 126, UInt8(bytes.count >> 8), UInt8(bytes.count & 0xFF)]
        default:
            frame.append(mask | 127)
            frame += stride(from: 56, through: 0, by: -8).map { UInt8(bytes.count >> $0 & 0xFF) }
        }
        guard isMasked else { return frame + bytes }
        let key: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
        return frame + key + bytes.enumerated().map { $1 ^ key[$0 % 4] }
    }

    /// The next frame that `isWanted`; others are passed over.
    func next(_ isWanted: (Frame) -> Bool = { _ in true }) async throws -> Frame {
        while true {
            let frames = Self.frames(in: connection.bytes.dropFirst(start))
            while taken < frames.count {
                defer { taken += 1 }
                if isWanted(frames[taken]) { return frames[taken] }
            }
            guard await connection.readSome() else { throw ByteConnection.Ended(bytes: connection.bytes) }
        }
    }

    /// The next message of this type.
    func next(_ type: String) async throws -> JSONValue {
        try await next { $0.json?["type"]?.stringValue == type }.json ?? .null
    }

    func next(_ kind: ServerMessage.Kind) async throws -> JSONValue { try await next(kind.rawValue) }

    /// The code of the server's close frame; other frames before it are passed over.
    func closeCode() async throws -> Int? { try await next { $0.opcode == 8 }.code }

    /// The whole frames in `bytes`, which may end anywhere.
    static func frames(in bytes: some Collection<UInt8>) -> [Frame] {
        var frames: [Frame] = []
        var rest = Array(bytes)[...]
        while rest.count >= 2 {
            let first = rest.removeFirst()
            var length = Int(rest.removeFirst())
            if length >= 126 {
                let size = length == 126 ? 2 : 8
                guard rest.count >= size else { break }
                length = rest.prefix(size).reduce(0) { $0 << 8 | Int($1) }
                rest = rest.dropFirst(size)
            }
            guard rest.count >= length else { break }
            frames.append(Frame(opcode: first & 0xF, bytes: Array(rest.prefix(length)), isFinal: first & 0x80 != 0))
            rest = rest.dropFirst(length)
        }
        return frames
    }
}
