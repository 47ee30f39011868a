import Domain
import HTTPTypes

/// Where a request came from.
struct EdgeClient: Sendable, Hashable {
    /// Nil when the other side is no address, as in tests without a socket.
    var address: RemoteAddress?
    /// Whether it was encrypted on its way to this server, or to the proxy that is trusted.
    var isSecure = false
}

/// Tells who sent a request, behind the proxies that the operator trusts.
///
/// Each proxy adds the address it was called from at the right. So the client is the right-most that is no trusted
/// proxy; what stands left of it anybody may have written.
struct ClientFinder: Sendable {
    let trusted: [AddressBlock]
    /// Whether this listener ends TLS itself.
    var isEncrypted = false

    func client(of headers: HTTPFields, peer: RemoteAddress?) -> EdgeClient {
        let direct = EdgeClient(address: peer, isSecure: isEncrypted)
        guard !trusted.isEmpty, let peer, isTrusted(peer) else { return direct }
        var client = direct
        let named = headers[values: ForwardedFields.forwardedFor]
        let standard = headers[values: ForwardedFields.forwarded]
        let byName =
            named.isEmpty ? nil : walk(named.flatMap { $0.split(separator: ",") }.map(Self.trimmed), from: peer)
        let byStandard = standard.isEmpty ? nil : walk(Self.forElements(standard), from: peer)
        switch (byName, byStandard) {
        case (let found?, nil), (nil, let found?): client.address = found
        // A proxy writes one of them and passes the other on: only when they agree nobody lied.
        case (let found?, let other?): client.address = found == other ? found : peer
        case (nil, nil): break
        }
        let schemes = headers[values: ForwardedFields.forwardedProto].flatMap { $0.split(separator: ",") }
        if let last = schemes.last { client.isSecure = Self.trimmed(last).lowercased() == "https" }
        return client
    }

    private func isTrusted(_ address: RemoteAddress) -> Bool { trusted.contains { $0.contains(address) } }

    /// - Returns: the right-most address that is not trusted; where something unreadable stands, what called with it.
    private func walk(_ elements: [Substring], from peer: RemoteAddress) -> RemoteAddress {
        var nearest = peer
        for element in elements.reversed().prefix(Limits.forwardedAddresses) {
            guard let address = Self.address(element) else { return nearest }
            nearest = address
            if !isTrusted(address) { return address }
        }
        return nearest
    }

    /// The `for` of each element of `Forwarded` (RFC 7239); of one that has none a word that is no address.
    private static func forElements(_ values: [String]) -> [Substring] {
        values.flatMap { $0.split(separator: ",") }.map { element in
            let pairs = element.split(separator: ";").map(trimmed)
            let named = pairs.first { $0.lowercased().hasPrefix("for=") }
            guard var value = named?.dropFirst(4) else { return "unknown" }
            if value.hasPrefix("\""), value.hasSuffix("\""), value.count > 1 { value = value.dropFirst().dropLast() }
            return value
        }
    }

    /// `192.0.2.7`, `192.0.2.7:4711`, `2001:db8::7`, `[2001:db8::7]`, `[2001:db8::7]:4711`.
    private static func address(_ text: Substring) -> RemoteAddress? {
        if text.hasPrefix("[") { return RemoteAddress(text.dropFirst().prefix { $0 != "]" }) }
        if text.count(where: { $0 == ":" }) == 1 { return RemoteAddress(text.prefix { $0 != ":" }) }
        return RemoteAddress(text)
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}

/// Header fields by which a proxy, or somebody who would like to be taken for one, says who is calling.
enum ForwardedFields {
    static let forwardedFor = HTTPField.Name("X-Forwarded-For")!
    static let forwardedProto = HTTPField.Name("X-Forwarded-Proto")!
    static let forwarded = HTTPField.Name("Forwarded")!

    /// The fields without all of those, once the client is known: nothing behind the edge may believe one by mistake.
    ///
    /// - Returns: nil when there was none.
    static func removed(from headers: HTTPFields) -> HTTPFields? {
        guard headers.contains(where: { isForwarded($0.name.canonicalName) }) else { return nil }
        return HTTPFields(headers.filter { !isForwarded($0.name.canonicalName) })
    }

    private static func isForwarded(_ name: String) -> Bool {
        guard name.utf8.first == UInt8(ascii: "x") else { return name == "forwarded" || name == "via" }
        return names.contains(name) || name.hasPrefix("x-forwarded-") || name.hasPrefix("x-auth-request-")
            || name.hasPrefix("x-internal-")
    }

    private static let names: Set<String> = [
        "x-real-ip", "x-client-ip", "x-cluster-client-ip", "x-original-url", "x-rewrite-url", "x-original-host",
        "x-host", "x-user", "x-user-id", "x-user-email", "x-user-name", "x-user-roles", "x-tenant", "x-tenant-id",
        "x-workspace-id", "x-role", "x-roles", "x-scopes", "x-remote-user", "x-authenticated-user", "x-api-user",
        "x-http-method", "x-http-method-override", "x-method-override",
    ]
}
