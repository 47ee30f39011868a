import Domain
import Synchronization

/// Who was shown text that names a tool by which something is written, and when.
///
/// Small changes that overwrite nothing need nobody's word. A record that tells a model to make them would have its way then; so
/// whoever was shown such a record is asked about those too, for a day, whatever door it was shown through: by any tool's answer,
/// refusals included, a resource, a prompt or a completion. That is a second line: `OrderText` says which disguises it knows. What
/// overwrites, deletes or is large is asked about whatever was read.
final class ShownOrders: Sendable {
    private struct Key: Hashable {
        let tenant: TenantID
        let user: UserID
        let key: KeyID?

        init(_ context: RequestContext) {
            tenant = context.tenant
            user = context.principal.user
            key = context.principal.key
        }
    }

    private struct State {
        var shown: [Key: Instant] = [:]
        /// The ends of what callers were shown last, by what stood where: a name may be cut in two between two answers.
        var ends: [Key: OrderText.Ends] = [:]
        /// Of `ends`, oldest first.
        var order: [Key] = []
    }

    private let text: OrderText
    private let now: InstantSource
    private let state = Mutex(State())

    /// - Parameter names: of tools that may write without being asked about.
    init(names: [String], now: @escaping InstantSource) {
        text = OrderText(names: names)
        self.now = now
    }

    /// Takes note of what a tool answered.
    func look(at result: ToolResult, for context: RequestContext) {
        if let structured = result.structured { look(at: structured, for: context) }
        // A refusal may say names again that somebody gave to tables and fields; what is wrong with arguments names the tool.
        if result.isError, result.problem?.code != "invalidArguments" { look(at: .string(result.text), for: context) }
    }

    /// Takes note of what somebody is shown.
    func look(at shown: JSONValue, for context: RequestContext) {
        let key = Key(context)
        var ends = state.withLock { $0.ends[key] } ?? OrderText.Ends()
        let isOrder = text.isOrder(shown, after: &ends)
        let now = now()
        state.withLock { state in
            if state.ends.updateValue(ends, forKey: key) == nil { state.order.append(key) }
            if state.order.count > Limits.shownOrders { state.ends[state.order.removeFirst()] = nil }
            guard isOrder else { return }
            if state.shown.count >= Limits.shownOrders { state.shown = state.shown.filter { now < Self.end($0.value) } }
            // When all are recent, the callers of this moment go before older ones.
            if state.shown.count >= Limits.shownOrders, let oldest = state.shown.min(by: { $0.value < $1.value }) {
                state.shown[oldest.key] = nil
            }
            state.shown[key] = now
        }
    }

    func wasShown(to context: RequestContext) -> Bool {
        let now = now()
        return state.withLock { $0.shown[Key(context)].map { now < Self.end($0) } ?? false }
    }

    private static func end(_ shown: Instant) -> Instant {
        Instant(microseconds: shown.microseconds + Limits.shownOrderSeconds * 1_000_000)
    }
}
