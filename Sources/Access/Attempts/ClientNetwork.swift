import Domain

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Where a client is, as far as guesses are counted: its own address, and the network it can choose addresses from.
struct ClientNetwork: Sendable, Hashable {
    /// Four bytes, or the first eight of sixteen: whoever has one address of IPv6 has 2⁶⁴.
    let host: [UInt8]
    /// What one customer or one office has: /24, or /48.
    let network: [UInt8]

    /// - Parameter address: in numbers; what is nothing of that kind is one client by itself.
    init(_ address: String?) {
        let bytes = address.flatMap(Self.bytes) ?? []
        host = bytes.count == 16 ? Array(bytes.prefix(8)) : bytes
        network = Array(bytes.prefix(bytes.count == 16 ? 6 : 3))
    }

    private static func bytes(of text: String) -> [UInt8]? {
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 { return withUnsafeBytes(of: four) { Array($0) } }
        var six = in6_addr()
        // A zone belongs to this machine, not to the address.
        guard inet_pton(AF_INET6, String(text.prefix { $0 != "%" }), &six) == 1 else { return nil }
        let bytes = withUnsafeBytes(of: six) { Array($0) }
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
        return bytes.starts(with: mapped) ? Array(bytes.suffix(4)) : bytes
    }
}
