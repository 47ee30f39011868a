/// A piece of what a tool or a prompt says.
public enum ContentBlock: Sendable, Hashable {
    case text(String)
    /// In base64.
    case image(base64: String, mediaType: String)
    /// In base64.
    case audio(base64: String, mediaType: String)
    /// A resource, whole.
    case resource(ResourceContents)
    /// A resource that can be read.
    case link(ResourceLink)
}

/// What a resource holds: text, or bytes in base64.
public struct ResourceContents: Sendable, Hashable {
    public enum Content: Sendable, Hashable {
        case text(String)
        case base64(String)
    }

    public let uri: String
    public let mediaType: String
    public let content: Content

    public init(uri: String, mediaType: String, _ content: Content) {
        self.uri = uri
        self.mediaType = mediaType
        self.content = content
    }
}

/// Points to a resource.
public struct ResourceLink: Sendable, Hashable {
    public let uri: String
    /// For programs and for lists.
    public let name: String
    /// For people.
    public var title: String?
    public var description: String?
    public var mediaType: String?

    public init(
        uri: String,
        name: String,
        title: String? = nil,
        description: String? = nil,
        mediaType: String? = nil
    ) {
        self.uri = uri
        self.name = name
        self.title = title
        self.description = description
        self.mediaType = mediaType
    }
}
