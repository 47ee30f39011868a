#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// An IPv4 or IPv6 address.
public struct IPAddress: Sendable, Hashable, CustomStringConvertible {
    /// Four or sixteen, in network order.
    public let bytes: [UInt8]

    public var isVersion6: Bool { bytes.count == 16 }

    /// Reads four decimal numbers with dots, or IPv6 without zone; no shorter, octal or hexadecimal form.
    public init?(_ text: String) {
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 {
            self.bytes = Array(bytes.prefix(4))
        } else if inet_pton(AF_INET6, text, &bytes) == 1 {
            self.bytes = bytes
        } else {
            return nil
        }
    }

    /// - Parameter bytes: four or sixteen.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    public var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN) + 1)
        let family = isVersion6 ? AF_INET6 : AF_INET
        guard inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else { return "?" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Whether the address belongs to the Internet at large, so that calling it reveals nothing of this machine's
    /// own network.
    ///
    /// By the special-purpose registries of IANA (RFC 6890 and after). Of IPv6 only global unicast counts, and of
    /// that nothing which holds an IPv4 address inside (mapped, compatible, NAT64, 6to4, Teredo): such an address
    /// would have to be judged by what it stands for, and nobody needs one.
    public var isPublic: Bool {
        isVersion6
            ? isInside([0x20], bits: 3) && !Self.reservedVersion6.contains { isInside($0.prefix, bits: $0.bits) }
            : !Self.reservedVersion4.contains { isInside($0.prefix, bits: $0.bits) }
    }

    /// Whether the address is one of the local link, or a metadata service that has its own beside them.
    public var isLinkLocal: Bool {
        let version4 = unmapped
        return version4.isVersion6
            ? isInside([0xFE, 0x80], bits: 10) || Self.metadataVersion6.contains { bytes == $0 }
            : version4.isInside([169, 254], bits: 16)
    }

    /// The IPv4 address that an IPv6 socket reports as `::ffff:…`; itself for every other one.
    public var unmapped: IPAddress {
        bytes.prefix(12) == Self.mapped[...] ? Self(bytes: Array(bytes.dropFirst(12))) ?? self : self
    }

    /// In front of the four bytes of an IPv4 address (RFC 4291, section 2.5.5.2).
    private static let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
    /// fd00:ec2::254 and fd20:ce::254.
    private static let metadataVersion6: [[UInt8]] = [
        [0xFD, 0x00, 0x0E, 0xC2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54],
        [0xFD, 0x20, 0x00, 0xCE, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54],
    ]

    private static let reservedVersion4: [(prefix: [UInt8], bits: Int)] = [
        ([0], 8),  // "this network"
        ([10], 8),  // private
        ([100, 64], 10),  // shared by carriers
        ([127], 8),  // loopback
        ([169, 254], 16),  // link-local, metadata services among it
        ([172, 16], 12),  // private
        ([192, 0, 0], 24),  // protocol assignments
        ([192, 0, 2], 24),  // documentation
        ([192, 31, 196], 24),  // AS112
        ([192, 52, 193], 24),  // AMT
        ([192, 88, 99], 24),  // 6to4 relays
        ([192, 168], 16),  // private
        ([192, 175, 48], 24),  // AS112
        ([198, 18], 15),  // benchmarks
        ([198, 51, 100], 24),  // documentation
        ([203, 0, 113], 24),  // documentation
        ([224], 4),  // multicast
        ([240], 4),  // reserved, broadcast
    ]

    private static let reservedVersion6: [(prefix: [UInt8], bits: Int)] = [
        ([0x20, 0x01, 0x00], 23),  // protocol assignments: Teredo, ORCHID, benchmarks
        ([0x20, 0x01, 0x0D, 0xB8], 32),  // documentation
        ([0x20, 0x02], 16),  // 6to4
        ([0x26, 0x20, 0x00, 0x4F, 0x80], 48),  // AS112
        ([0x3F, 0xFF, 0x00], 20),  // documentation
    ]

    /// Whether the first `bits` are those of `prefix`, which is taken to go on with zeros.
    private func isInside(_ prefix: [UInt8], bits: Int) -> Bool {
        for bit in stride(from: 0, to: bits, by: 8) {
            let position = bit / 8
            let expected = position < prefix.count ? prefix[position] : 0
            let mask: UInt8 = bits - bit >= 8 ? 0xFF : ~(0xFF >> UInt8(bits - bit))
            if bytes[position] & mask != expected & mask { return false }
        }
        return true
    }
}
