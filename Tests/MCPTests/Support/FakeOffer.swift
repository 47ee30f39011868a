import Domain
import MCP
import Synchronization

extension MCPOffer {
    /// Tools alone, as most tests want it.
    static func tools(_ tools: any ToolProvider = FakeTools()) -> MCPOffer {
        MCPOffer(tools: tools, sealer: FakeSealer())
    }

    /// All that a server can offer.
    static func everything(
        _ tools: any ToolProvider = FakeTools(),
        watcher: FakeWatcher = FakeWatcher(),
        sealer: any StateSealer = FakeSealer()
    ) -> MCPOffer {
        MCPOffer(
            tools: tools,
            resources: FakeResources(),
            prompts: FakePrompts(),
            watcher: watcher,
            sealer: sealer
        )
    }
}

struct FakeResources: ResourceProvider {
    static let links = [
        ResourceLink(uri: "fake://a", name: "a", title: "The letter a", description: "Text.", mediaType: "text/plain"),
        ResourceLink(uri: "fake://b", name: "b", mediaType: "application/octet-stream"),
        ResourceLink(uri: "fake://c", name: "c\u{202E}d"),
    ]
    static let templates = [
        ResourceTemplate(
            uriTemplate: "fake://{letter}",
            name: "letter",
            title: "A letter",
            description: "One of a, b and c.",
            mediaType: "text/plain"
        )
    ]

    static func contents(_ uri: String) throws -> [ResourceContents] {
        switch uri {
        case "fake://a": [ResourceContents(uri: uri, mediaType: "text/plain", .text("a"))]
        case "fake://b": [ResourceContents(uri: uri, mediaType: "application/octet-stream", .base64("Yg=="))]
        case "fake://empty": []
        default: throw ResourceError.notFound(uri, hint: "see resources/list")
        }
    }

    static func completion(_ question: CompletionQuestion, _ template: String) throws -> Completion {
        guard template == "fake://{letter}" else { throw ResourceError.unknownTemplate(template) }
        let values = ["a", "b", "c"].filter { $0.hasPrefix(question.value) && question.others["not"] != $0 }
        return Completion(values: values, total: values.count)
    }

    func resources(context: RequestContext) async throws -> [ResourceLink] { Self.links }
    func templates(context: RequestContext) async throws -> [ResourceTemplate] { Self.templates }

    func read(_ uri: String, caller: any ToolCaller, context: RequestContext) async throws -> [ResourceContents] {
        try Self.contents(uri)
    }

    func checkWatchable(_ uri: String, context: RequestContext) async throws { _ = try Self.contents(uri) }

    func complete(
        _ question: CompletionQuestion,
        template: String,
        context: RequestContext
    ) async throws -> Completion {
        try Self.completion(question, template)
    }
}

struct FakePrompts: PromptProvider {
    static let prompts = [
        PromptDefinition(
            name: "greet",
            title: "Greet",
            description: "Greets somebody.",
            arguments: [
                .init(name: "who", title: "Who", description: "Whom to greet.", isRequired: true),
                .init(name: "tone", title: "Tone", description: "How.", isRequired: false),
            ]
        ),
        PromptDefinition(name: "sleep", title: "Sleep", description: "Says good night.", arguments: []),
    ]

    static func messages(_ prompt: String, _ arguments: [String: String]) -> [PromptMessage] {
        prompt == "greet"
            ? [
                PromptMessage(.user, .text("Greet \(arguments["who"] ?? "").")),
                PromptMessage(.assistant, .image(base64: "AA==", mediaType: "image/png")),
            ] : [PromptMessage(.user, .text("Good night."))]
    }

    static func completion(_ question: CompletionQuestion, _ prompt: String) throws -> Completion {
        guard prompt == "greet" else { throw PromptError.unknownPrompt(prompt) }
        return Completion(values: (0..<150).map { "\(question.value)\($0)" }, hasMore: false)
    }

    func prompts(context: RequestContext) async throws -> [PromptDefinition] { Self.prompts }

    func messages(
        of prompt: String,
        arguments: [String: String],
        caller: any ToolCaller,
        context: RequestContext
    ) async throws -> [PromptMessage] {
        Self.messages(prompt, arguments)
    }

    func complete(
        _ question: CompletionQuestion,
        prompt: String,
        context: RequestContext
    ) async throws -> Completion {
        try Self.completion(question, prompt)
    }
}

/// Tells what a test says.
final class FakeWatcher: OfferWatcher {
    private let followers = Mutex<[Int: AsyncStream<OfferChange>.Continuation]>([:])
    private let numbers = Mutex(0)

    /// How many follow now.
    var followerCount: Int { followers.withLock { $0.count } }

    func tell(_ change: OfferChange) {
        for follower in followers.withLock({ $0.values }) { follower.yield(change) }
    }

    /// Ends all, as for callers who lost their access.
    func end() { for follower in followers.withLock({ $0.values }) { follower.finish() } }

    func changes(
        of interest: ChangeInterest,
        makeContext: @escaping @Sendable () async throws -> RequestContext
    ) -> AsyncStream<OfferChange> {
        let number = numbers.withLock { number in
            number += 1
            return number
        }
        let (stream, continuation) = AsyncStream.makeStream(of: OfferChange.self)
        followers.withLock { $0[number] = continuation }
        continuation.onTermination = { [weak self] _ in self?.followers.withLock { $0[number] = nil } }
        return stream
    }
}

/// Remembers what it sealed, so that nothing can be forged.
final class FakeSealer: StateSealer {
    private let sealed = Mutex<[String: (payload: [UInt8], purpose: [UInt8])]>([:])
    private let spent = Mutex<Set<String>>([])

    func seal(_ payload: [UInt8], boundTo purpose: [UInt8]) throws -> String {
        sealed.withLock { sealed in
            let text = "v1.\(sealed.count)"
            sealed[text] = (payload, purpose)
            return text
        }
    }

    func open(_ text: String, boundTo purpose: [UInt8]) throws -> [UInt8] {
        guard let known = sealed.withLock({ $0[text] }), known.purpose == purpose else { throw StateSealError.broken }
        return known.payload
    }

    func spend(_ nonce: String, until: Instant, context: RequestContext) async throws -> Bool {
        spent.withLock { $0.insert(nonce).inserted }
    }
}
