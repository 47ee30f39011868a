import HTTPTypes

/// Headers that every answer carries.
///
/// Nothing may be loaded, framed, sniffed or kept, unless the route said otherwise: the page sets its own policy.
/// Whoever came encrypted is told to come so again.
enum SecurityHeaders {
    static let contentSecurityPolicy = HTTPField.Name("Content-Security-Policy")!
    private static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
    private static let frameOptions = HTTPField.Name("X-Frame-Options")!
    static let resourcePolicy = HTTPField.Name("Cross-Origin-Resource-Policy")!
    private static let openerPolicy = HTTPField.Name("Cross-Origin-Opener-Policy")!
    private static let permissionsPolicy = HTTPField.Name("Permissions-Policy")!

    private static let transportSecurity = HTTPField.Name("Strict-Transport-Security")!

    /// - Parameter isSecure: whether the client's side is encrypted, here or at a trusted proxy.
    static func add(to headers: inout HTTPFields, isSecure: Bool) {
        if isSecure { headers[transportSecurity] = "max-age=31536000" }
        headers[.xContentTypeOptions] = "nosniff"
        headers[referrerPolicy] = "no-referrer"
        headers[frameOptions] = "DENY"
        if headers[resourcePolicy] == nil { headers[resourcePolicy] = "same-origin" }
        headers[openerPolicy] = "same-origin"
        headers[permissionsPolicy] = "camera=(), microphone=(), geolocation=()"
        if headers[contentSecurityPolicy] == nil {
            headers[contentSecurityPolicy] = "default-src 'none'; frame-ancestors 'none'"
        }
        if headers[.cacheControl] == nil { headers[.cacheControl] = "no-store" }
    }
}
