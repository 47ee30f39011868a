import HTTPTypes

/// Lets the pages that the settings name call the API, Airtable's and MCP, and read their answers: the CORS protocol of the Fetch standard
/// (section 3.2), without credentials, since a key travels in `Authorization`, which the page itself sets.
///
/// A browser asks first (preflight), by OPTIONS and without a key; that it may ask is all it learns without one.
enum CrossOrigin {
    /// What a page may send beside what every page may.
    private static let allowedHeaders = [
        "Accept", "Authorization", "Content-Type", "Last-Event-ID", "MCP-Protocol-Version", "Mcp-Session-Id",
        "If-Match", "If-None-Match", "Idempotency-Key", "X-Request-Id", "traceparent", "tracestate",
        // Of airtable.js.
        "X-Airtable-Application-ID", "X-Airtable-User-Agent", "X-API-Version",
    ]
    /// What a page may read of an answer beside what every page may.
    private static let exposedHeaders = [
        "Mcp-Session-Id", "WWW-Authenticate", "X-Request-Id", "Retry-After", "RateLimit", "RateLimit-Policy", "ETag",
        "Idempotent-Replayed", "Content-Disposition",
    ]
    /// How long a browser may remember the answer to its question; more than two hours none does.
    private static let secondsKept = 7_200

    /// The page's own files, and what machines ask, are for nobody else's page.
    static func covers(_ path: String) -> Bool {
        path == "/mcp" || path == "/openapi.json"
            || ["/api/", "/v0/", "/v1/", ResourceMetadata.path].contains { path.hasPrefix($0) }
    }

    /// - Parameters:
    ///   - origin: as the request has it.
    ///   - methods: of the route's address; nil for an answer that is no preflight's.
    static func allow(_ origin: String, preflight methods: [String]?, in headers: inout HTTPFields) {
        headers[.accessControlAllowOrigin] = origin
        if let methods {
            headers[.accessControlAllowMethods] = methods.joined(separator: ", ")
            headers[.accessControlAllowHeaders] = allowedHeaders.joined(separator: ", ")
            headers[.accessControlMaxAge] = "\(secondsKept)"
        } else {
            headers[.accessControlExposeHeaders] = exposedHeaders.joined(separator: ", ")
        }
    }
}
