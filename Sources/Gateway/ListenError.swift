public import Domain
import Foundation
import NIOCore

/// A listener could not be opened.
public struct ListenError: Failure, Equatable {
    public enum Code: String, Sendable {
        case addressInUse
        case addressUnavailable
    }

    public let code: Code
    public let message: String

    public var kind: FailureKind { code == .addressInUse ? .busy : .notConfigured }
    public var hint: String? {
        code == .addressInUse
            ? "is a server running already? --bind and --admin-bind name other addresses; port 0 takes a free one"
            : "--bind and --admin-bind name an address of this machine"
    }

    /// What the operating system said as the server started, in words; nil when it is about something else.
    public init?(_ error: any Error, configuration: GatewayConfiguration) {
        guard let error = error as? IOError else { return nil }
        let addresses = [configuration.address, configuration.adminAddress].compactMap(\.self)
            .map { "\($0.host):\($0.port)" }.joined(separator: " or ")
        switch error.errnoCode {
        case EADDRINUSE:
            code = .addressInUse
            message = "another process listens on \(addresses)"
        case EADDRNOTAVAIL, EACCES:
            code = .addressUnavailable
            message = "can't listen on \(addresses): \(String(cString: strerror(error.errnoCode)))"
        default: return nil
        }
    }

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}
