import Domain
public import MCP
import Synchronization

/// An offer that is still being made when the first client comes: it says at once what there will be, and whoever asks for
/// something of it waits.
///
/// So that a program that a client starts answers before its data and its model are open.
public struct DeferredOffer: Sendable {
    private let made: Made

    /// - Parameter make: called once, at once.
    public init(_ make: @escaping @Sendable () async throws -> MCPOffer) { made = Made(make) }

    /// Has every part; of an offer that lacks one, that part is empty.
    public var offer: MCPOffer {
        MCPOffer(
            tools: DeferredTools(made: made),
            resources: DeferredResources(made: made),
            prompts: DeferredPrompts(made: made),
            watcher: DeferredWatcher(made: made),
            sealer: DeferredSealer(made: made)
        )
    }

    /// Waits until it is made.
    ///
    /// - Throws: what making it threw.
    public func ready() async throws { _ = try await made.offer }
}

/// The offer, when it is there.
private final class Made: Sendable {
    private let task: Task<MCPOffer, any Error>
    private let known = Mutex<MCPOffer?>(nil)

    init(_ make: @escaping @Sendable () async throws -> MCPOffer) {
        // Unstructured, because many wait for it; it ends by itself, and whoever made this waits for it too.
        task = Task { try await make() }
    }

    var offer: MCPOffer {
        get async throws {
            if let offer = known.withLock({ $0 }) { return offer }
            let offer = try await task.value
            known.withLock { $0 = offer }
            return offer
        }
    }

    /// Nil before somebody waited for it.
    var present: MCPOffer? { known.withLock { $0 } }
}

private struct DeferredTools: ToolProvider {
    let made: Made

    func tools(context: RequestContext) async throws -> [ToolDefinition] {
        try await made.offer.tools.tools(context: context)
    }

    func definition(of name: String, context: RequestContext) async throws -> ToolDefinition? {
        try await made.offer.tools.definition(of: name, context: context)
    }

    func call(_ call: ToolCall, caller: any ToolCaller, context: RequestContext) async throws -> ToolResult {
        try await made.offer.tools.call(call, caller: caller, context: context)
    }

    func permission(toCall name: String) -> Permission? { made.present?.tools.permission(toCall: name) }

    func isQuick(_ name: String) -> Bool { made.present?.tools.isQuick(name) ?? false }
}

private struct DeferredResources: ResourceProvider {
    let made: Made

    private func resources(for uri: String) async throws -> any ResourceProvider {
        guard let resources = try await made.offer.resources else { throw ResourceError.notFound(uri) }
        return resources
    }

    func resources(context: RequestContext) async throws -> [ResourceLink] {
        try await made.offer.resources?.resources(context: context) ?? []
    }

    func templates(context: RequestContext) async throws -> [ResourceTemplate] {
        try await made.offer.resources?.templates(context: context) ?? []
    }

    func read(_ uri: String, caller: any ToolCaller, context: RequestContext) async throws -> [ResourceContents] {
        try await resources(for: uri).read(uri, caller: caller, context: context)
    }

    func checkWatchable(_ uri: String, context: RequestContext) async throws {
        try await resources(for: uri).checkWatchable(uri, context: context)
    }

    func complete(
        _ question: CompletionQuestion,
        template: String,
        context: RequestContext
    ) async throws -> Completion {
        try await resources(for: template).complete(question, template: template, context: context)
    }
}

private struct DeferredPrompts: PromptProvider {
    let made: Made

    private func prompts(for name: String) async throws -> any PromptProvider {
        guard let prompts = try await made.offer.prompts else { throw PromptError.unknownPrompt(name) }
        return prompts
    }

    func prompts(context: RequestContext) async throws -> [PromptDefinition] {
        try await made.offer.prompts?.prompts(context: context) ?? []
    }

    func messages(
        of prompt: String,
        arguments: [String: String],
        caller: any ToolCaller,
        context: RequestContext
    ) async throws -> [PromptMessage] {
        try await prompts(for: prompt).messages(of: prompt, arguments: arguments, caller: caller, context: context)
    }

    func complete(
        _ question: CompletionQuestion,
        prompt: String,
        context: RequestContext
    ) async throws -> Completion {
        try await prompts(for: prompt).complete(question, prompt: prompt, context: context)
    }
}

private struct DeferredWatcher: OfferWatcher {
    let made: Made

    func changes(
        of interest: ChangeInterest,
        makeContext: @escaping @Sendable () async throws -> RequestContext
    ) -> AsyncStream<OfferChange> {
        let (stream, continuation) = AsyncStream.makeStream(of: OfferChange.self)
        // Owned by the stream: whoever stops reading it ends this.
        let task = Task {
            if let watcher = try? await made.offer.watcher {
                for await change in watcher.changes(of: interest, makeContext: makeContext) {
                    continuation.yield(change)
                }
            }
            continuation.finish()
        }
        continuation.onTermination = { _ in task.cancel() }
        return stream
    }

    func follow(
        _ interest: ChangeInterest,
        makeContext: @escaping @Sendable () async throws -> RequestContext
    ) async -> AsyncStream<OfferChange> {
        guard let watcher = try? await made.offer.watcher else { return AsyncStream { $0.finish() } }
        return await watcher.follow(interest, makeContext: makeContext)
    }
}

/// Asked only by work that has a context, and so waited before.
private struct DeferredSealer: StateSealer {
    let made: Made

    private var sealer: any StateSealer {
        get throws {
            guard let sealer = made.present?.sealer else { throw StateSealError.broken }
            return sealer
        }
    }

    func seal(_ payload: [UInt8], boundTo purpose: [UInt8]) throws -> String {
        try sealer.seal(payload, boundTo: purpose)
    }

    func open(_ text: String, boundTo purpose: [UInt8]) throws -> [UInt8] {
        try sealer.open(text, boundTo: purpose)
    }

    func spend(_ nonce: String, until: Instant, context: RequestContext) async throws -> Bool {
        try await sealer.spend(nonce, until: until, context: context)
    }
}
