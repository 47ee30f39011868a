/// What a program wants to be told of.
public struct ChangeInterest: Sendable, Hashable {
    public var tools: Bool
    public var prompts: Bool
    /// The list of resources, not what is in them.
    public var resources: Bool
    /// Resources whose content is watched, by address.
    public var uris: Set<String>
    /// Who listens, by a number of their own: whoever stops, and listens for something else, goes on from what they were told.
    public var listener: UInt64?

    public init(tools: Bool = false, prompts: Bool = false, resources: Bool = false, uris: Set<String> = []) {
        self.tools = tools
        self.prompts = prompts
        self.resources = resources
        self.uris = uris
    }

    public var isEmpty: Bool { !tools && !prompts && !resources && uris.isEmpty }
}

/// Something that one caller is offered has changed.
public enum OfferChange: Sendable, Hashable {
    case tools
    case prompts
    case resources
    case resource(uri: String)
}

/// Tells what changes in what a caller is offered.
public protocol OfferWatcher: Sendable {
    /// What changes from now on, of what the caller may see at that moment. Changes that follow each other closely may be told
    /// once. Ends when the caller has no access any more; it is stopped by cancelling whoever iterates.
    ///
    /// - Parameter makeContext: makes a context with the caller's present rights, asked for again and again.
    func changes(
        of interest: ChangeInterest,
        makeContext: @escaping @Sendable () async throws -> RequestContext
    ) -> AsyncStream<OfferChange>

    /// As `changes`, but returns once it is known what there is now, so that nothing is lost that changes afterwards: for who
    /// says that changes are told from now on.
    func follow(
        _ interest: ChangeInterest,
        makeContext: @escaping @Sendable () async throws -> RequestContext
    ) async -> AsyncStream<OfferChange>
}

extension OfferWatcher {
    public func follow(
        _ interest: ChangeInterest,
        makeContext: @escaping @Sendable () async throws -> RequestContext
    ) async -> AsyncStream<OfferChange> {
        changes(of: interest, makeContext: makeContext)
    }
}
