public import Domain

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Why a transport could not be served. What goes wrong inside the protocol is answered there instead.
public struct MCPError: Failure, Equatable {
    public enum Code: String, Sendable, CaseIterable {
        /// A descriptor could not be read, or a pipe or thread not be made.
        case transport
    }

    public let code: Code
    public let message: String
    public let detail: String?

    public var kind: FailureKind { .internal }

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}

extension MCPError {
    static func transport(_ call: String, errno: Int32) -> Self {
        Self(
            code: .transport,
            message: "The MCP transport failed",
            detail: "\(call): \(String(cString: strerror(errno)))"
        )
    }
}
