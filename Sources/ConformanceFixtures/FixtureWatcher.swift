import Domain

/// Tells of what the triggers among the fixture tools have changed.
struct FixtureWatcher: OfferWatcher {
    let stage: FixtureStage

    /// Everybody sees the same, so nobody's rights are looked at.
    func changes(
        of interest: ChangeInterest,
        makeContext: @escaping @Sendable () async throws -> RequestContext
    ) -> AsyncStream<OfferChange> {
        stage.changes(of: interest)
    }
}
