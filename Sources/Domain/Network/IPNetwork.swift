/// A block of addresses: `10.1.0.0/16`, `127.0.0.1/32`, `fd00::/8`.
public struct IPNetwork: Sendable, Hashable, CustomStringConvertible {
    /// Its first address; the bits after the prefix are zero.
    public let address: IPAddress
    public let prefixBits: Int

    /// Nil unless it is an address, a slash and a number of bits that the kind of address has. Bits after the prefix
    /// are cleared, as most who write `10.1.2.3/16` mean.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let given = IPAddress(String(parts[0])), parts[1].utf8.count <= 3,
            parts[1].utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let bits = Int(parts[1]), bits <= given.bytes.count * 8
        else { return nil }
        let first = given.bytes.enumerated().map { position, byte in byte & Self.mask(position, bits) }
        guard let address = IPAddress(bytes: first) else { return nil }
        self.address = address
        prefixBits = bits
    }

    public var description: String { "\(address)/\(prefixBits)" }

    /// Addresses of the other version are never inside, not even those that hold one of this version.
    public func contains(_ other: IPAddress) -> Bool {
        other.bytes.count == address.bytes.count
            && other.bytes.enumerated().allSatisfy { position, byte in
                byte & Self.mask(position, prefixBits) == address.bytes[position]
            }
    }

    /// The bits of the byte at `position` that belong to a prefix of `bits`.
    private static func mask(_ position: Int, _ bits: Int) -> UInt8 {
        let inside = min(max(bits - position * 8, 0), 8)
        return inside == 0 ? 0 : 0xFF << UInt8(8 - inside)
    }
}
