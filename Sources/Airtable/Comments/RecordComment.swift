public import Domain

/// Somebody's words on a record.
public struct RecordComment: Sendable, Hashable, Identifiable {
    public let id: CommentID
    public let author: CommentPerson
    /// With mentions as `@[usr…]`.
    public let text: String
    public let createdTime: Instant
    /// Nil unless it was edited.
    public let lastUpdatedTime: Instant?
    /// The people whom the text mentions, in the order of its first mentions of them.
    public let mentioned: [CommentPerson]
    /// The comment that it answers, which may be gone.
    public let parent: CommentID?
}

/// A user as comments name them.
public struct CommentPerson: Sendable, Hashable, Identifiable {
    public let id: UserID
    public let email: String?
    public let name: String?

    public init(id: UserID, email: String?, name: String?) {
        self.id = id
        self.email = email
        self.name = name
    }
}

/// Comments of one record, newest first.
public struct CommentPage: Sendable, Hashable {
    public let comments: [RecordComment]
    /// Nil on the last page. Never expires: a page goes on at a place, whatever was written or deleted meanwhile.
    public let offset: String?
}

/// What happened to one comment. Comments have a log of their own: consumers of the change log keep cells in
/// step, and need not wake up for words. It is kept as long as that one.
public struct CommentChange: Sendable, Hashable {
    public enum Kind: Int64, Sendable, Hashable, CaseIterable {
        case created = 1
        case edited = 2
        case deleted = 3
    }

    public let kind: Kind
    public let comment: CommentID
    public let time: Instant
    public let actor: UserID
    public let before: String?
    public let after: String?
}
