public import Domain

/// A file to send.
public struct AttachmentContent: Sendable {
    public let attachment: Attachment
    private let reader: AttachmentReader

    init(attachment: Attachment, reader: AttachmentReader) {
        self.attachment = attachment
        self.reader = reader
    }

    /// Bytes from `offset` on: up to `count`, fewer only at the end of the file.
    public func read(_ count: Int, at offset: Int64) async throws -> [UInt8] {
        try await AttachmentService.blocking { [reader] in try reader.read(count, at: offset) }
    }

    /// The value of `Content-Disposition`. What browsers only show may be shown in place; all else is saved, so that no
    /// page, script or drawing that somebody uploaded is opened where this server is.
    public var disposition: String {
        AttachmentName.disposition(Self.isOnlyShown(attachment.type) ? "inline" : "attachment", attachment.filename)
    }

    /// Pictures of points, sounds, films and plain text: nothing that has scripts or draws other addresses in. SVG and
    /// PDF have both.
    static func isOnlyShown(_ type: String) -> Bool {
        if type == "text/plain" || type.hasPrefix("audio/") || type.hasPrefix("video/") { return true }
        return type.hasPrefix("image/") && type != "image/svg+xml"
    }
}
