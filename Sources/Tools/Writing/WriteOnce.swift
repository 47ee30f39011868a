import Airtable
import Domain
import Jobs

/// A call that names itself by an idempotency key: done once, however often it comes.
struct WriteOnce: Sendable {
    private let replies: KeptReplies
    private let key: ReplyKey
    private let fingerprint: [UInt8]
    private let now: InstantSource

    /// Nil without a key.
    ///
    /// - Parameter arguments: all of the call.
    /// - Throws: `WritingError.notAvailable` where nothing is remembered.
    init?(
        _ key: String?,
        tool: String,
        arguments: JSONValue,
        _ services: WritingServices,
        _ context: RequestContext
    ) throws(WritingError) {
        guard let key else { return nil }
        guard let replies = services.replies else {
            throw WritingError(.notAvailable, "This server remembers no idempotency keys.", hint: "leave the key out")
        }
        self.replies = replies
        now = services.now
        let principal = context.principal
        self.key = ReplyKey(
            caller: principal.key?.description ?? principal.user.description,
            route: "tool \(tool)",
            key: key
        )
        var call = arguments.objectValue ?? JSONObject()
        // How it is agreed to is not part of what is done.
        call["confirm"] = nil
        var digest = ProposalDigest("call 1")
        digest.add(.object(call))
        fingerprint = digest.finish()
    }

    /// What the first call answered.
    func earlier(_ context: RequestContext) async throws -> WriteAnswer? {
        let kept = try await replies.claimed(
            key,
            fingerprint: fingerprint,
            deadline: context.deadline,
            tenant: context.tenant
        )
        return try kept.flatMap { try Self.answer($0) }
    }

    /// The answer of `work`, unless somebody was first.
    func run(_ context: RequestContext, _ work: () async throws -> WriteAnswer) async throws -> WriteAnswer {
        let claim = try await replies.claim(
            key,
            fingerprint: fingerprint,
            now: now(),
            deadline: context.deadline,
            tenant: context.tenant
        )
        if let answer = try Self.answer(claim) { return answer }
        do {
            let answer = try await work()
            let (replies, key) = (replies, key)
            var body = try JSONCoder.value(of: answer).objectValue ?? JSONObject()
            body["text"] = .string(answer.text)
            let bytes = JSONValue.object(body).encoded()
            let reply = KeptReply(
                status: 200,
                contentType: "application/json",
                body: bytes.count <= Limits.keptReplyBytes ? bytes : nil
            )
            await settle { try await replies.keep(reply, for: key, tenant: context.tenant) }
            return answer
        } catch {
            if Self.saysNothingWasDone(error) {
                let (replies, key) = (replies, key)
                await settle { try await replies.release(key, tenant: context.tenant) }
            }
            // Else the claim stays, and lets nobody do it twice.
            throw error
        }
    }

    /// In a task of its own, which is waited for: what became of it must be kept also when the call is over, or it could be done
    /// again. What cannot be kept leaves the claim, which lets nobody in.
    private func settle(_ body: @escaping @Sendable () async throws -> Void) async {
        _ = await Task(operation: body).result
    }

    /// Nil when the work is this call's to do.
    private static func answer(_ claim: KeptReplies.Claim) throws -> WriteAnswer? {
        switch claim {
        case .mine: return nil
        case .answered(let reply):
            guard let body = reply.body else {
                throw WritingError(.idempotencyKeyInUse, "This was done; its answer is too long to be kept.")
            }
            let json = try JSONValue(parsing: body)
            var answer = try JSONCoder.decode(WriteAnswer.self, from: json)
            answer.repeated = true
            let text = json["text"]?.stringValue ?? ""
            return answer.reading("Done before, by the first call with this key; nothing was changed now.\n" + text)
        case .inUse:
            throw WritingError(
                .idempotencyKeyInUse,
                "The call with this idempotencyKey has no answer yet, or ended without one.",
                hint: "look whether it was done before you use another key"
            )
        case .reused:
            throw WritingError(
                .idempotencyKeyReused,
                "This idempotencyKey was used with other arguments.",
                hint: "use a new key for a new change"
            )
        }
    }

    private static func saysNothingWasDone(_ error: any Error) -> Bool {
        guard let failure = error as? any Failure else { return false }
        if let error = failure as? AirtableError, error.code == .writeUncertain { return false }
        switch failure.kind {
        case .invalid, .unauthenticated, .forbidden, .notFound, .conflict, .tooLarge, .busy, .notConfigured: return true
        case .timedOut, .cancelled, .corrupt, .internal: return false
        }
    }
}
