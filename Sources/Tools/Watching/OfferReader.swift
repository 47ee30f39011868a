import Domain

/// Tells one program what has changed of what it watches.
///
/// A change in the log is only a reason to look. What is told is what the program would find by looking itself, with its
/// caller's rights of that moment: a resource that now reads otherwise, is gone or has come, a list that is another. So nothing
/// that is hidden is ever told of, and a record that moved out of sight is told of once, as one that was deleted is. Nobody
/// works ahead: the next look begins when the program wants to hear more.
actor OfferReader {
    private struct Finding {
        let offer: WatchedOffer
        let print: ContentPrint
    }

    private let interest: ChangeInterest
    private let makeContext: @Sendable () async throws -> RequestContext
    private let offers: WatchedOffers
    private let hub: WatchHub
    private let pace: Duration

    private var seat: WatchSeat?
    /// Who listens, and in which tenant.
    private var listener: (principal: Principal, tenant: TenantID)?
    private var permissions: Set<Permission> = []
    /// What the program was told of last, or what was there when it began.
    private var prints: [WatchedOffer: ContentPrint] = [:]
    /// What it is to be told, and when that was found out.
    private var findings: ArraySlice<Finding> = []
    private var found = ContinuousClock.now
    private var notBefore = ContinuousClock.now
    private var failures = 0

    /// What was found out before is found out again.
    private static let freshness = Duration.seconds(1)
    private static let retryInterval = Duration.seconds(1)
    /// A look that takes long is not repeated sooner than after nine times as long, up to this.
    private static let restMax = Duration.seconds(5)

    init(
        _ interest: ChangeInterest,
        offers: WatchedOffers,
        hub: WatchHub,
        pace: Duration,
        makeContext: @escaping @Sendable () async throws -> RequestContext
    ) {
        self.interest = interest
        self.offers = offers
        self.hub = hub
        self.pace = pace
        self.makeContext = makeContext
    }

    /// Finds out what there is of what it does not know yet. What fails is done again when the first change is asked for.
    func begin() async {
        do {
            let mailbox = try await mailbox()
            let new = WatchMailbox.Due(
                lists: mailbox.lists.filter { prints[.list($0)] == nil },
                uris: interest.uris.filter { prints[.resource(uri: $0)] == nil }
            )
            if !new.isEmpty { try await look(at: new) }
        } catch {
            // Whose fault it is shows when it is done again.
        }
    }

    /// The next change; nil when the task is cancelled, or the caller has no access any more.
    func next() async -> OfferChange? {
        while !Task.isCancelled {
            if let change = taken() { return change }
            do {
                try await look()
                failures = 0
            } catch {
                failures += 1
                if Self.isOver(error) || failures > Limits.watchFailures { break }
                // Ends early only by being cancelled, which is looked at next.
                try? await Task.sleep(for: Self.retryInterval)
            }
        }
        seat = nil
        Self.keep(prints, of: interest, in: offers.resources.prints)
        prints = [:]
        return nil
    }

    /// A stream that is cancelled between two changes is let go of without another question.
    deinit { Self.keep(prints, of: interest, in: offers.resources.prints) }

    /// Who listens for something else from now on goes on from here.
    private static func keep(
        _ prints: [WatchedOffer: ContentPrint],
        of interest: ChangeInterest,
        in recent: RecentPrints
    ) {
        guard let listener = interest.listener else { return }
        for (offer, print) in prints { recent.keep(print, of: offer, for: .listener(listener)) }
    }

    private func taken() -> OfferChange? {
        guard let first = findings.first else { return nil }
        guard ContinuousClock.now - found < Self.freshness else {
            var due = WatchMailbox.Due()
            for finding in findings { due.insert(finding.offer) }
            seat?.mailbox.post(due)
            findings = []
            return nil
        }
        findings.removeFirst()
        prints[first.offer] = first.print
        return first.offer.change
    }

    // MARK: Looking

    /// - Parameter part: looks at no more than this, and at once.
    private func look(at part: WatchMailbox.Due? = nil) async throws {
        let mailbox = try await mailbox()
        await mailbox.wait()
        if notBefore > .now { try await Task.sleep(until: notBefore, clock: .continuous) }
        try Task.checkCancellation()
        try await hub.gate.enter()
        defer { hub.gate.leave() }
        var due = mailbox.take()
        if let part { mailbox.post(due.cut(to: part)) }
        let start = ContinuousClock.now
        do {
            findings = try await findings(of: due, mailbox)[...]
        } catch {
            mailbox.post(due)
            throw error
        }
        found = .now
        notBefore = found + max(pace, min((found - start) * 9, Self.restMax))
    }

    /// Where this program's mail is; made when it is first asked for, with everything due, since what there is then is what later
    /// changes are measured by.
    private func mailbox() async throws -> WatchMailbox {
        if let seat { return seat.mailbox }
        let context = try await makeContext()
        let lists = OfferList.allCases.filter { list in
            switch list {
            case .tools: interest.tools
            case .prompts: interest.prompts
            case .resources: interest.resources
            }
        }
        let uris = Set(interest.uris.sorted().prefix(Limits.watchedResources))
        let seat = try await hub.join(context.tenant, WatchMailbox(lists: Set(lists), uris: uris))
        for offer in lists.map({ WatchedOffer.list($0) }) + uris.map({ .resource(uri: $0) }) {
            let recent = offers.resources.prints
            prints[offer] =
                interest.listener.flatMap { recent.take(offer, for: .listener($0)) }
                ?? recent.take(offer, for: RecentPrints.Keeper(context.principal))
        }
        seat.mailbox.postEverything()
        self.seat = seat
        listener = (context.principal, context.tenant)
        permissions = context.principal.permissions
        return seat.mailbox
    }

    /// Those of `due` that are other than they were.
    private func findings(of due: WatchMailbox.Due, _ mailbox: WatchMailbox) async throws -> [Finding] {
        var context = try await freshContext(mailbox)
        var asked = ContinuousClock.now
        var due = due
        if context.principal.permissions != permissions {
            permissions = context.principal.permissions
            mailbox.postEverything()
            due.formUnion(mailbox.take())
        }
        let since = mailbox.posted
        var findings: [Finding] = []
        func compare(_ offer: WatchedOffer, _ print: ContentPrint) {
            // What there is at the beginning is nothing new.
            guard let before = prints[offer] else { return prints[offer] = print }
            if before != print { findings.append(Finding(offer: offer, print: print)) }
        }
        for list in OfferList.allCases where due.lists.contains(list) {
            compare(.list(list), try await offers.look(at: .list(list), since: since, context: context).print)
        }
        for uri in due.uris.sorted() {
            if ContinuousClock.now - asked > Self.freshness {
                context = try await freshContext(mailbox)
                asked = .now
            }
            let look = try await offers.look(at: .resource(uri: uri), since: since, context: context)
            mailbox.learn(look.origin, of: uri)
            compare(.resource(uri: uri), look.print)
        }
        return findings
    }

    private func freshContext(_ mailbox: WatchMailbox) async throws -> RequestContext {
        let context = try await makeContext()
        guard context.tenant == listener?.tenant else { throw CancellationError() }
        mailbox.rightsAsked(at: .now)
        return context
    }

    /// Whether there is nobody to be told any more.
    private static func isOver(_ error: any Error) -> Bool {
        switch (error as? any Failure)?.kind {
        case .unauthenticated, .forbidden, .notFound, .cancelled: true
        default: error is CancellationError
        }
    }
}

extension WatchMailbox.Due {
    /// Leaves what is in `part` as well, and gives back the rest.
    fileprivate mutating func cut(to part: Self) -> Self {
        var rest = self
        rest.lists.subtract(part.lists)
        rest.uris.subtract(part.uris)
        lists.formIntersection(part.lists)
        uris.formIntersection(part.uris)
        rights = false
        return rest
    }

    fileprivate mutating func insert(_ offer: WatchedOffer) {
        switch offer {
        case .list(let list): lists.insert(list)
        case .resource(let uri): uris.insert(uri)
        }
    }
}
