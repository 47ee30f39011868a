/// A family of resources: an address with places to fill in (RFC 6570, level 1).
public struct ResourceTemplate: Sendable, Hashable {
    public let uriTemplate: String
    public let name: String
    public let title: String
    public let description: String
    public let mediaType: String

    public init(uriTemplate: String, name: String, title: String, description: String, mediaType: String) {
        self.uriTemplate = uriTemplate
        self.name = name
        self.title = title
        self.description = description
        self.mediaType = mediaType
    }
}

/// What can be filled in at one place, best first.
public struct Completion: Sendable, Hashable {
    /// At most 100 are shown.
    public let values: [String]
    /// How many there are; nil when nobody counted.
    public let total: Int?
    public let hasMore: Bool

    public init(values: [String], total: Int? = nil, hasMore: Bool = false) {
        self.values = values
        self.total = total
        self.hasMore = hasMore
    }
}

/// One place to be filled in, as far as the user has typed.
public struct CompletionQuestion: Sendable, Hashable {
    public let argument: String
    public let value: String
    /// What was filled in elsewhere already.
    public let others: [String: String]

    public init(argument: String, value: String, others: [String: String] = [:]) {
        self.argument = argument
        self.value = value
        self.others = others
    }
}

/// Offers resources and reads them, each for what its caller may see.
public protocol ResourceProvider: Sendable {
    /// In a stable order.
    func resources(context: RequestContext) async throws -> [ResourceLink]

    func templates(context: RequestContext) async throws -> [ResourceTemplate]

    /// - Parameter caller: may be asked, as a tool may ask.
    /// - Returns: at least one piece.
    /// - Throws: `ResourceError.notFound` for what is not there, or not there for this caller.
    func read(_ uri: String, caller: any ToolCaller, context: RequestContext) async throws -> [ResourceContents]

    /// Checks that the caller may watch the resource.
    ///
    /// - Throws: as `read`.
    func checkWatchable(_ uri: String, context: RequestContext) async throws

    /// - Parameter template: one of `templates`.
    /// - Throws: `ResourceError.unknownTemplate`.
    func complete(_ question: CompletionQuestion, template: String, context: RequestContext) async throws -> Completion
}

/// Why a resource could not be had.
public struct ResourceError: Failure, Equatable {
    public enum Code: String, Sendable, CaseIterable {
        case notFound
        case unknownTemplate
    }

    public let code: Code
    public let message: String
    public let hint: String?
    public let uri: String

    public var kind: FailureKind { .notFound }

    /// - Parameter hint: what to do instead.
    public static func notFound(_ uri: String, hint: String? = nil) -> Self {
        Self(code: .notFound, message: "There is no resource \(uri.prefix(200))", hint: hint, uri: uri)
    }

    public static func unknownTemplate(_ template: String) -> Self {
        Self(
            code: .unknownTemplate,
            message: "There is no resource template \(template.prefix(200))",
            hint: "see resources/templates/list",
            uri: template
        )
    }

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code && left.uri == right.uri }
}
