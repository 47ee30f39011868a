import Domain
import HTTPTypes

/// Which web pages may call what a page must not reach by accident: MCP, and chat's socket.
///
/// A browser names the page's origin in `Origin`; programs send none and are told apart by their key. A page of this
/// server may call, and those the settings name. On a loopback listener the `Host` must be a loopback one as well, or
/// that of an allowed origin: otherwise a page could let its own name point at this machine (DNS rebinding).
struct OriginPolicy: Sendable {
    private let allowed: Set<String>
    /// With and without the port that the scheme has anyway.
    private let allowedAuthorities: Set<String>
    private let isLoopback: Bool

    /// - Parameters:
    ///   - allowed: such as `https://notes.example`.
    ///   - host: what the listener is bound to.
    init(allowed: [String], boundTo host: String) {
        self.allowed = Set(allowed.map { Self.normal($0) })
        allowedAuthorities = Set(
            self.allowed.flatMap { origin in
                guard let authority = Self.authority(of: origin) else { return [String]() }
                return [String(authority), authority + (origin.hasPrefix("https://") ? ":443" : ":80")]
            }
        )
        isLoopback = Self.isLoopback(host[...])
    }

    /// - Parameters:
    ///   - origins: every value of `Origin`.
    ///   - host: the value of `Host`.
    /// - Throws: `foreignOrigin`.
    func check(origins: [String], host: String?) throws(GatewayError) {
        if isLoopback, let host, !Self.isLoopback(Self.name(of: host.lowercased()[...])),
            !allowedAuthorities.contains(host.lowercased())
        {
            throw Self.foreign("The Host of this request is not one of this server's.")
        }
        guard let origin = origins.first else { return }
        let normal = Self.normal(origin)
        if origins.count == 1, allowed.contains(normal) { return }
        guard origins.count == 1, let authority = Self.authority(of: normal), let host,
            isSamePlace(authority, Self.withoutDefaultPort(host.lowercased(), of: normal)[...])
        else { throw Self.foreign("The page that sent this request is not one of this server's.") }
    }

    var namesAny: Bool { !allowed.isEmpty }

    /// The page of another origin that the settings name, if the request is from one: it may read the answer.
    func named(origins: [String]) -> String? {
        guard origins.count == 1, let origin = origins.first, allowed.contains(Self.normal(origin)) else { return nil }
        return origin
    }

    /// Whether a page of one is a page of the other. This machine's names for itself are one on a loopback listener: a page may be
    /// opened by one of them and configured with another.
    private func isSamePlace(_ page: Substring, _ host: Substring) -> Bool {
        if page == host { return true }
        let (pageName, hostName) = (Self.name(of: page), Self.name(of: host))
        return isLoopback && Self.isLoopback(pageName) && Self.isLoopback(hostName)
            && page[pageName.endIndex...].drop { $0 == "]" } == host[hostName.endIndex...].drop { $0 == "]" }
    }

    private static func foreign(_ message: String) -> GatewayError {
        GatewayError(.foreignOrigin, message, hint: "if it is meant to, add its origin to PYAIRTABLE_ALLOWED_ORIGINS")
    }

    /// In lower case, without a slash at the end or the scheme's own port.
    private static func normal(_ origin: String) -> String {
        let text = origin.lowercased()
        return withoutDefaultPort(text.hasSuffix("/") ? String(text.dropLast()) : text, of: text)
    }

    private static func withoutDefaultPort(_ text: String, of origin: String) -> String {
        let port = origin.hasPrefix("https://") ? ":443" : ":80"
        return text.hasSuffix(port) ? String(text.dropLast(port.count)) : text
    }

    /// Nil for `null` and for what is no page of the web.
    private static func authority(of origin: String) -> Substring? {
        for scheme in ["https://", "http://"] where origin.hasPrefix(scheme) {
            let authority = origin.dropFirst(scheme.count)
            return authority.isEmpty || authority.contains("/") ? nil : authority
        }
        return nil
    }

    /// Without the port.
    private static func name(of authority: Substring) -> Substring {
        if authority.first == "[" { return authority.prefix { $0 != "]" }.dropFirst() }
        return authority.prefix { $0 != ":" }
    }

    private static func isLoopback(_ name: Substring) -> Bool {
        if name == "localhost" || name == "::1" { return true }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
