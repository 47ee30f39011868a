package import Access
package import Airtable
import Domain
package import Logging

/// What the product offers to AI clients beside its tools.
public struct Offers: Sendable {
    public let resources: AirtableResources
    public let prompts: AirtablePrompts
    /// Of the tools that it was made with, and of these resources and prompts.
    public let watcher: AirtableOfferWatcher

    /// - Parameters:
    ///   - tools: as they are offered, so that a change of what a caller is offered is told.
    ///   - pollInterval: how long a change of another process may go unnoticed.
    package static func standard(
        airtable: AirtableService,
        access: AccessService,
        tools: ToolRegistry,
        logger: Logger,
        pollInterval: Duration = .milliseconds(250)
    ) -> Offers {
        let resources = AirtableResources(airtable: airtable, prints: RecentPrints(), orders: tools.orders)
        let prompts = AirtablePrompts(airtable: airtable, orders: tools.orders)
        var times = WatchHub.Times()
        times.poll = pollInterval
        return Offers(
            resources: resources,
            prompts: prompts,
            watcher: AirtableOfferWatcher(
                offers: WatchedOffers(tools: tools, prompts: prompts, resources: resources),
                hub: WatchHub(airtable: airtable, access: access, logger: logger, times: times)
            )
        )
    }
}
