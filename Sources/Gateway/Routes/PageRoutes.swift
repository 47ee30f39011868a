import HTTPTypes

/// The page at `/`: three files and a picture inside the program, nothing from outside.
enum PageRoutes {
    static let all = [
        asset("/", "page", "The page: search, results, records.", "text/html", PackageResources.page_html),
        asset("/page.css", "pageStyle", "The page's style.", "text/css", PackageResources.page_css),
        asset("/page.js", "pageScript", "The page's script.", "text/javascript", PackageResources.page_js),
        asset("/icon.svg", "pageIcon", "The page's icon.", "image/svg+xml", Array(icon.utf8)),
    ]

    /// Only this server's own files, no inline script or style, nothing that frames or is framed.
    static let contentSecurityPolicy = """
        default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
        base-uri 'none'; form-action 'none'; frame-ancestors 'none'
        """

    private static func asset(
        _ path: String,
        _ name: String,
        _ summary: String,
        _ contentType: String,
        _ bytes: [UInt8]
    ) -> Route {
        Route(
            .get,
            path,
            name: name,
            summary: summary,
            reply: .other(contentType, "The file."),
            handler: .open { _ in
                Reply(
                    contentType: "\(contentType); charset=utf-8",
                    headers: [
                        SecurityHeaders.contentSecurityPolicy: contentSecurityPolicy,
                        .cacheControl: "no-cache",
                    ],
                    body: bytes
                )
            }
        )
    }

    private static let icon = """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" \
        fill="#3b5bdb"/><circle cx="14" cy="14" r="6" fill="none" stroke="#fff" stroke-width="3"/><path d="m19 19 6 6" \
        stroke="#fff" stroke-width="3" stroke-linecap="round"/></svg>
        """
}
