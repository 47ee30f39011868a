import Airtable
import Domain
import HTTPTypes

/// The bytes of attachments.
///
/// The link is the permission, as with the hosted service: whoever was given it may read this one file until it
/// expires. Files come from anybody, so each is sent as if it were hostile: its type is not guessed at, a sandbox
/// without rights is all that a document gets, and what could hold scripts is saved instead of opened.
enum AttachmentRoutes {
    static let all = [read]

    static let path = "/attachments/{tenantId}/{attachmentId}/{expires}/{signature}/{filename}"

    private static let read = Route(
        .get,
        path,
        name: "readAttachment",
        summary: "The bytes of an attachment, whole or a range of them, by a link that a cell shows.",
        reply: file,
        problems: [.rangeNotSatisfiable],
        handler: .open { call in
            let (tenant, id): (TenantID, AttachmentID) = try (
                call.identifier(.tenantId), call.identifier(.attachmentId)
            )
            let content = try await call.services.requireAttachments().open(
                id,
                tenant: tenant,
                expires: String(call.parameters[.expires] ?? ""),
                signature: String(call.parameters[.signature] ?? "")
            )
            return reply(content, call.headers)
        }
    )

    private static var file: RouteReply {
        var reply = RouteReply.other("application/octet-stream", "The bytes, under the attachment's own type.")
        reply.otherStatuses = [.partialContent, .notModified]
        return reply
    }

    private static func reply(_ content: AttachmentContent, _ asked: HTTPFields) -> Reply {
        let file = content.attachment
        let tag = "\"\(file.contentHash)\""
        var headers: HTTPFields = [
            .acceptRanges: "bytes", .eTag: tag, .contentDisposition: content.disposition,
            // Each link is another address, so what one was answered stays true for as long as it lives.
            .cacheControl: "private, max-age=\(Limits.attachmentLinkSeconds), immutable",
            SecurityHeaders.contentSecurityPolicy: "default-src 'none'; frame-ancestors 'none'; sandbox",
            // Pages of other origins show pictures by their links, as they do with Airtable's.
            SecurityHeaders.resourcePolicy: "cross-origin",
        ]
        let known = asked[.ifNoneMatch]?.split(separator: ",").map { $0.filter { $0 != " " } } ?? []
        if known.contains(where: { $0 == tag || $0 == "W/" + tag || $0 == "*" }) {
            return Reply(status: .notModified, contentType: "", headers: headers, body: [])
        }
        // A range of what the client has another version of would be nonsense.
        let isSame = asked[.ifRange].map { $0 == tag } ?? true
        do {
            guard isSame, let range = try ByteRange.wanted(asked[.range], size: file.size) else {
                return bytes(of: content, 0..<file.size, .ok, headers)
            }
            headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(file.size)"
            return bytes(of: content, range, .partialContent, headers)
        } catch {
            return Reply(
                status: .rangeNotSatisfiable,
                contentType: "",
                headers: [.contentRange: "bytes */\(file.size)"],
                body: []
            )
        }
    }

    private static func bytes(
        of content: AttachmentContent,
        _ range: Range<Int64>,
        _ status: HTTPResponse.Status,
        _ headers: HTTPFields
    ) -> Reply {
        .stream(
            status: status,
            contentType: content.attachment.type,
            headers: headers,
            byteCount: range.upperBound - range.lowerBound
        ) { writer in
            var offset = range.lowerBound
            while offset < range.upperBound {
                let count = min(Int64(Limits.attachmentPieceBytes), range.upperBound - offset)
                let piece = try await content.read(Int(count), at: offset)
                // Cut short under us; the connection ends without what was promised, so the client can tell.
                guard piece.count == Int(count) else { throw AttachmentCut() }
                try await writer.write(piece)
                offset += count
            }
        }
    }

    private struct AttachmentCut: Error {}
}
