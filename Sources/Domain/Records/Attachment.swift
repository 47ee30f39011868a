/// A file in a cell of attachments: what is known of it. Its bytes lie elsewhere, under their hash.
public struct Attachment: Sendable, Hashable, Identifiable {
    public let id: AttachmentID
    public var filename: String
    /// The media type, such as `image/png`.
    public var type: String
    /// Bytes.
    public var size: Int64
    /// Pixels, of an image.
    public var width: Int?
    public var height: Int?
    /// SHA-256 of the bytes in lower-case hexadecimal: two attachments of the same bytes share it.
    public var contentHash: String
    /// In the order small, large, full; none for what has no picture.
    public var thumbnails: [Thumbnail]
    /// Where the hosted service serves the bytes of a base that lives there, for some hours. Never stored.
    public var hostedURL: String?

    /// A smaller picture of an attachment.
    public struct Thumbnail: Sendable, Hashable {
        public var size: Size
        public var width: Int
        public var height: Int

        public enum Size: String, Sendable, Hashable, CaseIterable, Codable {
            case small, large, full
        }

        public init(size: Size, width: Int, height: Int) {
            self.size = size
            self.width = width
            self.height = height
        }
    }

    public init(
        id: AttachmentID,
        filename: String,
        type: String,
        size: Int64,
        width: Int? = nil,
        height: Int? = nil,
        contentHash: String,
        thumbnails: [Thumbnail] = []
    ) {
        self.id = id
        self.filename = filename
        self.type = type
        self.size = size
        self.width = width
        self.height = height
        self.contentHash = contentHash
        self.thumbnails = thumbnails
    }
}

/// An attachment as a writer names it.
public enum AttachmentInput: Sendable, Hashable {
    /// One that is stored already.
    case existing(AttachmentID)
    /// To be fetched; the name is the address's unless said.
    case url(String, filename: String?)
}
