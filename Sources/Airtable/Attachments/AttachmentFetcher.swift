import Domain
import Outbound

/// Fetches files by addresses that users give.
struct AttachmentFetcher: Sendable {
    /// Guards every address that it is given; see `ForeignCalls`.
    let transport: any HTTPTransport

    /// What came, and what its sender says of it.
    struct Fetched {
        let file: StagedFile
        let filename: String?
        let declaredType: String?
    }

    /// Streams the file to disk; at no time more than a piece of it is in memory.
    ///
    /// - Parameter end: when it must be done, redirects included.
    /// - Throws: `.attachmentsFailed`, saying why, without what the other side said.
    func fetch(_ url: String, until end: ContinuousClock.Instant, into files: AttachmentFiles) async throws -> Fetched {
        do {
            let (reply, last) = try await follow(url, until: end)
            let draft = try files.begin()
            for try await piece in reply.body {
                try draft.write(piece)
                guard draft.size <= Limits.attachmentBytes else { throw Self.tooLarge }
            }
            return Fetched(
                file: draft.finish(),
                filename: reply.header("content-disposition").flatMap(AttachmentName.named(inDisposition:))
                    ?? AttachmentName.named(inAddress: last) ?? AttachmentName.named(inAddress: url),
                declaredType: reply.header("content-type")
            )
        } catch let error as OutboundError {
            if error.code == .closed { throw error }
            throw Self.failed(error)
        }
    }

    /// The reply at the end of at most three redirects, each of which the transport checks as it did the first.
    private func follow(
        _ url: String,
        until end: ContinuousClock.Instant
    ) async throws -> (reply: OutboundReply, address: String) {
        var address = Self.plain(url)
        for _ in 0...Limits.attachmentRedirects {
            let request = OutboundRequest(
                .get,
                address,
                headers: [("accept", "*/*"), ("accept-encoding", "identity")],
                deadlines: OutboundDeadlines(
                    firstByte: .seconds(20),
                    stall: .seconds(20),
                    total: max(.zero, end - .now)
                ),
                replyBytesMax: Limits.attachmentBytes
            )
            let reply = try await transport.send(request)
            switch reply.status {
            case 200: return (reply, address)
            case 301, 302, 303, 307, 308:
                guard let location = reply.header("location"), let next = Self.resolve(location, from: address) else {
                    throw Self.failure("its server answered \(reply.status) without saying where it is")
                }
                address = Self.plain(next)
            default: throw Self.failure("its server answered \(reply.status)")
            }
        }
        throw Self.failure("it was redirected more than \(Limits.attachmentRedirects) times")
    }

    /// The address that a `Location` means (RFC 3986, section 5.2, without what only references with dots need: a
    /// server that sends such paths is asked for exactly them).
    static func resolve(_ location: String, from base: String) -> String? {
        let target = location.prefix { $0 != "#" }
        if target.isEmpty { return nil }
        if let scheme = target.firstRange(of: "://"),
            target[..<scheme.lowerBound].allSatisfy({ $0.isASCII && $0.isLetter })
        {
            return String(target)
        }
        guard let scheme = base.firstRange(of: "://") else { return nil }
        if target.hasPrefix("//") { return "\(base[..<scheme.lowerBound]):\(target)" }
        let afterScheme = base[scheme.upperBound...]
        let authority = afterScheme.prefix { $0 != "/" && $0 != "?" }
        let origin = "\(base[..<scheme.upperBound])\(authority)"
        if target.hasPrefix("/") { return origin + target }
        let path = afterScheme.dropFirst(authority.count).prefix { $0 != "?" }
        if target.hasPrefix("?") { return "\(origin)\(path)\(target)" }
        let folder: Substring = path.lastIndex(of: "/").map { path[...$0] } ?? "/"
        return "\(origin)\(folder)\(target)"
    }

    /// The address as it is sent: without a fragment, and with what people type into paths (spaces, letters beyond
    /// ASCII) as browsers send it. Hosts of such letters stay refused: an escape is none of theirs.
    static func plain(_ url: String) -> String {
        var plain = ""
        for byte in url.prefix(while: { $0 != "#" }).utf8 {
            if byte > 0x20, byte < 0x7F {
                plain.unicodeScalars.append(UnicodeScalar(byte))
            } else {
                plain += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }
        return plain
    }

    // MARK: Failures

    private static let tooLarge = failure("it has more than \(Limits.attachmentBytes >> 30) GB")

    private static func failure(_ why: String) -> AirtableError {
        AirtableError(.attachmentsFailed, "An attachment could not be fetched: \(why).")
    }

    /// Addresses stay out of the message, but for host and port: they may hold tokens.
    private static func failed(_ error: OutboundError) -> AirtableError {
        AirtableError(
            .attachmentsFailed,
            "An attachment could not be fetched: \(error.message).",
            hint: error.hint,
            detail: error.detail
        )
    }
}
