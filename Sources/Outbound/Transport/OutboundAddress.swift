import Domain

/// The parts of an absolute address that decide where a call goes.
///
/// Reads less than other readers do, on purpose: what two readers could understand differently (credentials,
/// backslashes, encoded or international host names, numbers for addresses) is refused, so that what was checked is
/// what is called.
public struct OutboundAddress: Sendable, Hashable {
    public enum Scheme: String, Sendable, Hashable {
        case http, https
    }

    public let scheme: Scheme
    /// In lower case, without the brackets of IPv6 and without a dot at its end.
    public let host: String
    public let port: Int
    /// What follows the authority, beginning with `/` or `?`, or empty.
    public let rest: String

    /// `host:port`, the name of an upstream in limits, circuits and errors.
    public var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Whether it names this machine itself: `localhost`, `127.…` or `[::1]`.
    public var isLoopback: Bool {
        host == "localhost" || host == "::1" || (IPAddress(host) != nil && host.hasPrefix("127."))
    }

    /// - Throws: `invalidAddress`.
    public init(_ url: String) throws(OutboundError) {
        guard let separator = url.firstRange(of: "://"),
            let scheme = Scheme(rawValue: url[..<separator.lowerBound].lowercased())
        else { throw Self.invalid("it begins with neither http:// nor https://") }
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }) else {
            throw Self.invalid("it holds white space, a backslash or letters beyond ASCII")
        }
        let afterScheme = url[separator.upperBound...]
        let authority = afterScheme.prefix { !"/?#".contains($0) }
        guard !authority.contains("@") else { throw Self.invalid("it holds credentials") }
        guard !url.contains("#") else { throw Self.invalid("it holds a fragment") }
        self.scheme = scheme
        (host, port) = try Self.parts(of: authority, standardPort: scheme == .https ? 443 : 80)
        rest = String(afterScheme.dropFirst(authority.count))
    }

    private static func parts(
        of authority: Substring,
        standardPort: Int
    ) throws(OutboundError) -> (host: String, port: Int) {
        var name = authority
        var portText: Substring?
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            name = authority[authority.index(after: authority.startIndex)..<end]
            let tail = authority[authority.index(after: end)...]
            guard tail.isEmpty || tail.hasPrefix(":") else { throw invalid("its host and port cannot be read") }
            portText = tail.isEmpty ? nil : tail.dropFirst()
            guard IPAddress(String(name))?.isVersion6 == true else { throw invalid("its host is no IPv6 address") }
        } else {
            if let colon = authority.firstIndex(of: ":") {
                name = authority[..<colon]
                portText = authority[authority.index(after: colon)...]
            }
            guard isHostName(name) else { throw invalid("its host is neither a name nor an address") }
        }
        guard let portText else { return (normalized(name), standardPort) }
        guard portText.allSatisfy({ $0.isASCII && $0.isNumber }), let port = Int(portText), (1...65_535).contains(port)
        else { throw invalid("its port is not between 1 and 65535") }
        return (normalized(name), port)
    }

    /// A host name of letters, digits and hyphens, or a strict dotted quad. `2130706433`, `0x7f.1` and `127.1` are
    /// addresses to some readers and names to others, so they are neither here.
    private static func isHostName(_ name: Substring) -> Bool {
        let labels = (name.hasSuffix(".") ? name.dropLast() : name).split(
            separator: ".",
            omittingEmptySubsequences: false
        )
        let areLabels = labels.allSatisfy { label in
            (1...63).contains(label.utf8.count)
                && label.utf8.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                        true
                    default: false
                    }
                }
        }
        guard areLabels, name.utf8.count <= 253, let last = labels.last else { return false }
        let looksNumeric = last.allSatisfy(\.isNumber) || last.lowercased().hasPrefix("0x")
        return !looksNumeric || IPAddress(String(name)) != nil
    }

    private static func normalized(_ name: Substring) -> String {
        (name.hasSuffix(".") ? name.dropLast() : name).lowercased()
    }

    private static func invalid(_ why: String) -> OutboundError {
        OutboundError(
            .invalidAddress,
            "the address of an outgoing call cannot be used: \(why)",
            hint: "use http://HOST[:PORT]/… or https://HOST[:PORT]/…"
        )
    }
}
