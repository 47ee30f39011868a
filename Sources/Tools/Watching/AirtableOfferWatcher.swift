public import Domain

/// Tells what changes in what a caller is offered: tools and prompts with their rights, resources with the records and schemas
/// behind them, whoever changed them, in whichever process.
///
/// Addresses are told as they were given. A change is told within some 50 ms of its commit in this process, and 300 ms of one in
/// another; what changes again within 100 ms is told once. Who watches the same tenant shares one look into its log, and who
/// doesn't ask for the next change costs nothing but what is remembered.
///
/// `changes` begins when the first change is asked for, `follow` before it returns. A resource for which `checkWatchable` was called within the last minute is
/// measured by what it was then. Of more than `Limits.watchedResources` addresses the first in their order are watched.
public struct AirtableOfferWatcher: OfferWatcher {
    private let offers: WatchedOffers
    let hub: WatchHub
    private let pace: Duration

    /// - Parameter pace: the least time between two looks for one program.
    init(offers: WatchedOffers, hub: WatchHub, pace: Duration = .milliseconds(100)) {
        self.offers = offers
        self.hub = hub
        self.pace = pace
    }

    public func changes(
        of interest: ChangeInterest,
        makeContext: @escaping @Sendable () async throws -> RequestContext
    ) -> AsyncStream<OfferChange> {
        let reader = OfferReader(interest, offers: offers, hub: hub, pace: pace, makeContext: makeContext)
        return AsyncStream { await reader.next() }
    }

    public func follow(
        _ interest: ChangeInterest,
        makeContext: @escaping @Sendable () async throws -> RequestContext
    ) async -> AsyncStream<OfferChange> {
        let reader = OfferReader(interest, offers: offers, hub: hub, pace: pace, makeContext: makeContext)
        await reader.begin()
        return AsyncStream { await reader.next() }
    }
}
