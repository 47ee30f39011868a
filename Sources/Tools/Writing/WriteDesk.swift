import Airtable
import Domain

/// What every change goes through: it is proposed, agreed to, made once, and told.
struct WriteDesk: Sendable {
    let airtable: AirtableService
    let mode: WriteMode
    let services: WritingServices
    let consent: Consent

    init(airtable: AirtableService, mode: WriteMode, services: WritingServices) {
        self.airtable = airtable
        self.mode = mode
        self.services = services
        let orders = ShownOrders(names: Self.tools, now: services.now)
        consent = Consent(mode: mode, handed: HandedProposals(), orders: orders, now: services.now)
    }

    /// Tools that may write without asking.
    private static let tools = [
        "create_records", "update_records", "upsert_records", "import_data", "upload_attachment", "create_comment",
        "create_base", "create_table", "create_field",
    ]

    /// A change, and where it is made, for people.
    struct Request: Sendable {
        let operation: ProposedOperation
        let place: String

        init(_ operation: ProposedOperation, in place: String) {
            self.operation = operation
            self.place = place
        }

        init(_ operation: ProposedOperation, _ place: (base: Base, table: Table)) {
            self.init(operation, in: "\(place.table.name) (base \(place.base.name))")
        }
    }

    /// - Parameter request: read anew each time, for names may have changed.
    func write(
        _ tool: String,
        _ arguments: some WriteArguments,
        caller: any ToolCaller,
        context: RequestContext,
        _ request: () async throws -> Request
    ) async throws -> WriteAnswer {
        let isDryRun = arguments.dryRun == true
        let once = try WriteOnce(
            isDryRun ? nil : arguments.idempotencyKey,
            tool: tool,
            arguments: try JSONCoder.value(of: arguments),
            services,
            context
        )
        if let answer = try await once?.earlier(context) { return answer }
        var round = 0
        while true {
            round += 1
            let request = try await request()
            let proposal = try await airtable.propose(
                request.operation,
                attachments: services.attachments,
                context: context
            )
            if !proposal.outcome.obstacles.isEmpty { return .conflict(proposal.outcome.obstacles) }
            let asked = question(proposal, request.place)
            if isDryRun {
                if mode == .dryRun {
                    consent.handed.add(proposal.hash, until: proposal.expires, now: services.now(), for: context)
                }
                return .proposed(
                    proposal,
                    request.place,
                    asks: consent.isNeeded(for: asked, context: context),
                    mode: mode
                )
            }
            if proposal.isEmpty {
                return WriteAnswer(.unchanged, text: "Nothing was changed: all is as wanted already.")
            }
            switch try await consent.to(asked, confirm: arguments.confirm, caller: caller, context: context) {
            case .given: break
            case .declined: return WriteAnswer(.declined, text: "The user declined. Nothing was changed.")
            case .cancelled: return WriteAnswer(.declined, text: "The user did not agree. Nothing was changed.")
            }
            do {
                return try await apply(proposal, request.place, once, caller, context)
            } catch let error as ProposalError where error.code == .stale && arguments.confirm == nil {
                // Whoever agreed agreed to something else: they are asked again.
                if round >= Limits.proposalRounds { throw error }
            }
        }
    }

    private func question(_ proposal: ChangeProposal, _ place: String) -> ConsentRequest {
        let words = ProposalText(proposal: proposal, place: place)
        let count = max(proposal.directCount, proposal.operation.recordCount)
        return ConsentRequest(
            hash: proposal.hash,
            expires: proposal.expires,
            message: words.question,
            action: words.action,
            isHarmless: !proposal.isDestructive && count <= Limits.unaskedRecords
        )
    }

    private func apply(
        _ proposal: ChangeProposal,
        _ place: String,
        _ once: WriteOnce?,
        _ caller: any ToolCaller,
        _ context: RequestContext
    ) async throws -> WriteAnswer {
        let total = proposal.operation.recordCount
        if total > Limits.unaskedRecords {
            await caller.report(ToolProgress(done: 0, total: Double(total), message: "checked"))
        }
        @Sendable func work() async throws -> WriteAnswer {
            let applied = try await airtable.apply(
                proposal,
                attachments: services.attachments,
                report: { done in
                    guard total > Limits.unaskedRecords else { return }
                    await caller.report(ToolProgress(done: Double(done), total: Double(total), message: "written"))
                },
                context: context
            )
            return .done(applied, proposal, place)
        }
        guard let once else { return try await work() }
        return try await once.run(context, work)
    }
}
