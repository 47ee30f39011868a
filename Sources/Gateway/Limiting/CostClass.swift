import Domain
import HTTPTypes

/// What a request costs this server, in kinds that are limited apart from each other. The raw value is the name of the
/// limit in answers and settings.
public enum CostClass: String, Sendable, Hashable, CaseIterable {
    /// Proving who one is: passwords, refreshed tokens.
    case auth
    case read
    case write
    case search
    /// A language or embedding model works.
    case model
    /// Asked by machines again and again, and never limited: `/health`, `/ready`, `/metrics`.
    case free

    /// Of a route that names none itself.
    init(method: HTTPRequest.Method, path: String, permission: Permission?) {
        let isReading = method == .get || method == .head
        switch permission {
        case _ where ["/health", "/ready", "/metrics"].contains(path): self = .free
        case _ where path.hasPrefix("/api/v1/auth/"): self = .auth
        case .search: self = .search
        case .embed, .chat: self = isReading ? .read : .model
        case _ where path == "/mcp": self = .search
        default: self = isReading ? .read : .write
        }
    }
}
