import HTTPTypes

/// The page at `/`: its files and a picture inside the program, nothing from outside.
enum PageRoutes {
    static let all = [
        asset("/", "page", "The page: search, chat, records.", "text/html", PackageResources.page_html),
        asset("/page.css", "pageStyle", "The page's style.", "text/css", PackageResources.page_css),
        asset("/chat.css", "chatStyle", "Chat's style.", "text/css", PackageResources.chat_css),
        script("/page.js", "pageScript", "The page's script: search and records.", PackageResources.page_js),
        script("/chat.js", "chatScript", "Chat.", PackageResources.chat_js),
        script("/answer.js", "answerScript", "One answer of chat.", PackageResources.answer_js),
        script("/markup.js", "markupScript", "How answers are shown.", PackageResources.markup_js),
        script("/api.js", "apiScript", "What the scripts share.", PackageResources.api_js),
        asset("/docs", "documentPage", "The API document, to be read.", "text/html", PackageResources.docs_html),
        asset("/docs.css", "documentStyle", "That page's style.", "text/css", PackageResources.docs_css),
        script("/docs.js", "documentScript", "That page's script.", PackageResources.docs_js),
        asset("/icon.svg", "pageIcon", "The page's icon.", "image/svg+xml", Array(icon.utf8)),
    ]

    /// Only this server's own files, no inline script or style, nothing that frames or is framed.
    static let contentSecurityPolicy = """
        default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
        base-uri 'none'; form-action 'none'; frame-ancestors 'none'
        """

    private static func script(_ path: String, _ name: String, _ summary: String, _ bytes: [UInt8]) -> Route {
        asset(path, name, summary, "text/javascript", bytes)
    }

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
