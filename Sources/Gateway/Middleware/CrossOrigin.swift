import HTTPTypes

/// Lets the pages that the settings name call MCP and read its answers: the CORS protocol of the Fetch standard
/// (section 3.2), without credentials, since a key travels in `Authorization`, which the page itself sets.
///
/// A browser asks first (preflight), by OPTIONS and without a key; that it may ask is all it learns without one.
enum CrossOrigin {
    /// What a page may send beside what every page may.
    private static let allowedHeaders = [
        "Accept", "Authorization", "Content-Type", "Last-Event-ID", "MCP-Protocol-Version", "Mcp-Session-Id",
    ]
    /// What a page may read of an answer beside what every page may.
    private static let exposedHeaders = ["Mcp-Session-Id", "WWW-Authenticate", "X-Request-Id", "Retry-After"]
    /// How long a browser may remember the answer to its question; more than two hours none does.
    private static let secondsKept = 7_200

    /// - Parameters:
    ///   - origin: as the request has it.
    ///   - methods: of the route's address; nil for an answer that is no preflight's.
    static func allow(_ origin: String, preflight methods: [String]?, in headers: inout HTTPFields) {
        headers[.accessControlAllowOrigin] = origin
        headers[.vary] = "Origin"
        if let methods {
            headers[.accessControlAllowMethods] = methods.joined(separator: ", ")
            headers[.accessControlAllowHeaders] = allowedHeaders.joined(separator: ", ")
            headers[.accessControlMaxAge] = "\(secondsKept)"
        } else {
            headers[.accessControlExposeHeaders] = exposedHeaders.joined(separator: ", ")
        }
    }
}
