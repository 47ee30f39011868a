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

/// Looks at what a caller is offered, to find out whether it has changed for them.
struct WatchedOffers: Sendable {
    let tools: any ToolProvider
    let prompts: AirtablePrompts
    let resources: AirtableResources

    func mark(of list: OfferList, context: RequestContext) async throws -> ContentPrint {
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
    func content(of uri: String, context: RequestContext) async throws -> ResourceContent? {
        do {
            return try await resources.reader.watched(uri, context: context)
        } catch is ResourceError {
            return nil
        } catch let error as AccessError where error.kind == .forbidden {
            return nil
        }
    }
}
