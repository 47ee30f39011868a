public import Domain
import Outbound

/// Where a server's MCP is, from what somebody gave as the server's address.
public struct BridgeAddress: Sendable, Hashable {
    /// Absolute, ends in `/mcp`.
    public let text: String
    let address: OutboundAddress

    /// - Throws: `BridgeAddressError` for what is no address, and for one that would carry a key over a network in the clear.
    public init(_ given: String) throws {
        var text = given
        while text.hasSuffix("/") { text.removeLast() }
        if !text.hasSuffix("/mcp") { text += "/mcp" }
        let address: OutboundAddress
        do { address = try OutboundAddress(text) } catch { throw BridgeAddressError.unreadable(error.message) }
        guard !text.contains("?") else { throw BridgeAddressError.unreadable("it holds a query") }
        guard address.scheme == .https || address.isLoopback else { throw BridgeAddressError.clear }
        self.text = text
        self.address = address
    }
}

/// Why an address is not used.
public struct BridgeAddressError: Failure, Equatable {
    public enum Code: String, Sendable, CaseIterable {
        case unreadable
        case clear
    }

    public let code: Code
    public let message: String
    public let hint: String?
    public var kind: FailureKind { .notConfigured }

    static func unreadable(_ reason: String) -> Self {
        Self(
            code: .unreadable,
            message: "--url is no address of a server: \(reason)",
            hint: "such as http://127.0.0.1:8080"
        )
    }

    static let clear = Self(
        code: .clear,
        message: "--url leads to another machine without TLS, where the key could be read on the way.",
        hint: "use https://, or a tunnel to 127.0.0.1"
    )

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}
