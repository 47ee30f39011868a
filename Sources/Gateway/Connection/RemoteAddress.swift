import NIOCore

/// An IPv4 or IPv6 address in 16 bytes, to compare, group and print.
public struct RemoteAddress: Sendable, Hashable, CustomStringConvertible {
    /// In network order; of IPv4 the low 32 bits of `low`, behind `::ffff`.
    let high: UInt64
    let low: UInt64

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Nil when the other side is no address, as in tests without a socket.
    init?(_ channel: any Channel) {
        guard let address = channel.remoteAddress else { return nil }
        self.init(address)
    }

    init?(_ address: SocketAddress) {
        // The system's layout: an IPv4 address at byte 4, an IPv6 one at byte 8.
        let words: (high: UInt64, low: UInt64)? = address.withSockAddr { pointer, byteCount in
            let bytes = UnsafeRawBufferPointer(start: pointer, count: byteCount)
            switch address.protocol {
            case .inet where byteCount >= 8:
                let word = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
                return (0, Self.mapped | UInt64(word))
            case .inet6 where byteCount >= 24:
                return (
                    UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
                    UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
                )
            default: return nil
            }
        }
        guard let words else { return nil }
        self.init(high: words.high, low: words.low)
    }

    /// Reads `192.0.2.7`, `2001:db8::7`; no port, no brackets, no zone.
    public init?(_ text: some StringProtocol) {
        guard text.utf8.count <= 45, !text.utf8.contains(UInt8(ascii: "%")),
            let address = try? SocketAddress(ipAddress: String(text), port: 0)
        else { return nil }
        self.init(address)
    }

    var isVersion4: Bool { high == 0 && low & Self.mappedMask == Self.mapped }

    var isLoopback: Bool { isVersion4 ? low >> 24 & 0xFF == 127 : high == 0 && low == 1 }

    /// What one customer has: the address itself, or of IPv6 the first 64 bits.
    var group: RemoteAddress { isVersion4 ? self : RemoteAddress(high: high, low: 0) }

    public var description: String {
        if isVersion4 {
            return [24, 16, 8, 0].map { String(low >> UInt64($0) & 0xFF) }.joined(separator: ".")
        }
        var bytes = ByteBuffer()
        bytes.writeInteger(high)
        bytes.writeInteger(low)
        return (try? SocketAddress(packedIPAddress: bytes, port: 0).ipAddress) ?? "?"
    }

    private static let mapped: UInt64 = 0xFFFF_0000_0000
    private static let mappedMask: UInt64 = 0xFFFF_FFFF_0000_0000
}

/// A block of addresses, such as `10.0.0.0/8`, or one address.
public struct AddressBlock: Sendable, Hashable, CustomStringConvertible {
    private let first: RemoteAddress
    /// Of 128.
    private let bits: Int

    /// Nil unless it is an address, perhaps with a slash and a number of bits its kind of address has.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = RemoteAddress(parts[0]) else { return nil }
        let width = address.isVersion4 ? 32 : 128
        var length = width
        if parts.count == 2 {
            guard parts[1].utf8.count <= 3, parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let given = Int(parts[1]), given <= width
            else { return nil }
            length = given
        }
        bits = 128 - width + length
        first = Self.cut(address, bits)
    }

    func contains(_ address: RemoteAddress) -> Bool { Self.cut(address, bits) == first }

    public var description: String {
        "\(first)/\(first.isVersion4 && bits >= 96 ? bits - 96 : bits)"
    }

    private static func cut(_ address: RemoteAddress, _ bits: Int) -> RemoteAddress {
        RemoteAddress(
            high: address.high & (bits >= 64 ? .max : bits == 0 ? 0 : .max << UInt64(64 - bits)),
            low: address.low & (bits <= 64 ? 0 : .max << UInt64(128 - bits))
        )
    }
}
