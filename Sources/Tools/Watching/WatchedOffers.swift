import Access
import Domain

/// Something that a program can be told of.
enum WatchedOffer: Sendable, Hashable {
    case list(OfferList)
    case resource(uri: String)

    var change: OfferChange {
        switch self {
        case .list(let list): list.change
        case .resource(let uri): .resource(uri: uri)
        }
    }
}

/// Looks at what a caller is offered, to find out whether it has changed for them; once for all who watch it as the same caller.
struct WatchedOffers: Sendable {
    let tools: any ToolProvider
    let prompts: AirtablePrompts
    let resources: AirtableResources

    private let looks = SharedLooks()

    init(tools: any ToolProvider, prompts: AirtablePrompts, resources: AirtableResources) {
        self.tools = tools
        self.prompts = prompts
        self.resources = resources
    }

    /// What the caller would find, by a look that began at `since` or later.
    func look(
        at offer: WatchedOffer,
        since: ContinuousClock.Instant,
        context: RequestContext
    ) async throws -> WatchedLook {
        let key = SharedLooks.Key(tenant: context.tenant, principal: context.principal, offer: offer)
        return try await looks.look(at: key, since: since) {
            switch offer {
            case .list(let list): WatchedLook(print: try await mark(of: list, context: context))
            case .resource(let uri):
                if let content = try await content(of: uri, context: context) {
                    WatchedLook(
                        print: ContentPrint(content),
                        origin: WatchedLook.Origin(table: content.table, linked: content.linked)
                    )
                } else {
                    WatchedLook(print: .missing)
                }
            }
        }
    }

    private func mark(of list: OfferList, context: RequestContext) async throws -> ContentPrint {
        switch list {
        case .tools: .of(try await tools.tools(context: context))
        case .prompts: .of(try await prompts.prompts(context: context))
        case .resources:
            .of(
                Listed(
                    resources: try await resources.resources(context: context),
                    templates: try await resources.templates(context: context)
                )
            )
        }
    }

    private struct Listed: Hashable {
        let resources: [ResourceLink]
        let templates: [ResourceTemplate]
    }

    /// Nil for a resource that is not there, or no longer for this caller.
    private func content(of uri: String, context: RequestContext) async throws -> ResourceContent? {
        do {
            return try await resources.reader.watched(uri, context: context)
        } catch is ResourceError {
            return nil
        } catch let error as AccessError where error.kind == .forbidden {
            return nil
        }
    }
}
