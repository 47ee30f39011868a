/// A prompt as it is offered: a message that a person picks, with places to fill in.
public struct PromptDefinition: Sendable, Hashable {
    public struct Argument: Sendable, Hashable {
        public let name: String
        public let title: String
        public let description: String
        public let isRequired: Bool

        public init(name: String, title: String, description: String, isRequired: Bool) {
            self.name = name
            self.title = title
            self.description = description
            self.isRequired = isRequired
        }
    }

    public let name: String
    public let title: String
    public let description: String
    public let arguments: [Argument]

    public init(name: String, title: String, description: String, arguments: [Argument]) {
        self.name = name
        self.title = title
        self.description = description
        self.arguments = arguments
    }
}

/// One message of a prompt, filled in.
public struct PromptMessage: Sendable, Hashable {
    public enum Role: String, Sendable, Hashable {
        case user, assistant
    }

    public let role: Role
    public let content: ContentBlock

    public init(_ role: Role, _ content: ContentBlock) {
        self.role = role
        self.content = content
    }
}

/// Offers prompts, each to who may use what it speaks of.
public protocol PromptProvider: Sendable {
    /// In a stable order.
    func prompts(context: RequestContext) async throws -> [PromptDefinition]

    /// - Parameters:
    ///   - arguments: of the names that the prompt has; the required ones are there.
    ///   - caller: may be asked, as a tool may ask.
    /// - Throws: `PromptError.unknownPrompt` for a name that this caller is not offered.
    func messages(
        of prompt: String,
        arguments: [String: String],
        caller: any ToolCaller,
        context: RequestContext
    ) async throws -> [PromptMessage]

    /// - Throws: `PromptError.unknownPrompt`.
    func complete(_ question: CompletionQuestion, prompt: String, context: RequestContext) async throws -> Completion
}

/// Why a prompt could not be had.
public struct PromptError: Failure, Equatable {
    public enum Code: String, Sendable, CaseIterable {
        case unknownPrompt
        case invalidArgument
    }

    public let code: Code
    public let message: String
    public let hint: String?

    public var kind: FailureKind { .invalid }

    public static func unknownPrompt(_ name: String) -> Self {
        Self(code: .unknownPrompt, message: "There is no prompt named '\(name.prefix(128))'", hint: "see prompts/list")
    }

    public static func invalidArgument(_ message: String) -> Self {
        Self(code: .invalidArgument, message: message, hint: nil)
    }

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}
