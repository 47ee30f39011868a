import Crypto
import Domain
import HTTPTypes
import Jobs

/// A request that names itself by `Idempotency-Key`: done once, however often it is sent.
///
/// Kept for a day by tenant, caller, route and key, with the body's digest. An answer that says that nothing was done
/// gives the key back; one that leaves open whether something was, as a deadline that passed does, is kept like success.
struct IdempotentRequest: Sendable {
    static let header = HTTPField.Name("Idempotency-Key")!
    static let replayed = HTTPField.Name("Idempotent-Replayed")!
    static let lifetime = Duration.seconds(86_400)

    let key: ReplyKey
    let fingerprint: [UInt8]
    let keepsBody: Bool

    /// Nil without the header, and on routes that do not take it.
    ///
    /// - Throws: `invalidParameter` for two of them, and for one that is empty, long or no plain text.
    init?(_ route: Route, _ call: RouteCall, _ context: Domain.RequestContext) throws(GatewayError) {
        guard route.takesIdempotencyKey else { return nil }
        let values = call.headers[values: Self.header]
        if values.isEmpty { return nil }
        guard values.count == 1, (1...255).contains(values[0].utf8.count),
            values[0].utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else {
            throw GatewayError(.invalidParameter, "Idempotency-Key is one text of 1 to 255 plain characters.")
        }
        let principal = context.principal
        key = ReplyKey(
            caller: principal.key?.description ?? principal.user.description,
            // The path has the identifiers that the route's name has not.
            route: route.name + " "
                + call.parameters.map { "\($0.key.rawValue)=\($0.value)" }.sorted().joined(separator: "&"),
            key: values[0]
        )
        var hash = SHA256()
        hash.update(data: call.bytes)
        hash.update(data: Array(call.rawQuery.utf8))
        fingerprint = Array(hash.finalize())
        keepsBody = route.keepsReplies
    }

    /// The answer of `work`, or the one it gave before.
    ///
    /// - Parameter render: what a failure is answered with.
    func run(
        _ replies: KeptReplies,
        _ context: Domain.RequestContext,
        now: Instant,
        render: (any Error) -> Reply,
        _ work: () async throws -> Reply
    ) async throws -> Reply {
        let claim = try await replies.claim(
            key,
            fingerprint: fingerprint,
            now: now,
            deadline: context.deadline,
            tenant: context.tenant
        )
        switch claim {
        case .mine: break
        case .answered(let kept): return try Self.again(kept)
        case .inUse:
            throw GatewayError(
                .idempotencyKeyInUse,
                "The request with this Idempotency-Key has no answer yet.",
                hint:
                    "ask again in a moment; when it stays so, look whether the work was done before you use another key",
                retryAfterSeconds: 1
            )
        case .reused:
            throw GatewayError(
                .idempotencyKeyReused,
                "This Idempotency-Key was used with another body.",
                hint: "use a new key for a new request"
            )
        }
        do {
            let reply = try await work()
            await settle { try await keep(reply, replies, context) }
            return reply
        } catch {
            if Self.saysNothingWasDone(error) {
                await settle { try await replies.release(key, tenant: context.tenant) }
            } else {
                let late = GatewayError(.timedOut, "The answer took longer than the server allows.")
                let reply = render(Task.isCancelled ? late : error)
                await settle { try await keep(reply, replies, context) }
            }
            throw error
        }
    }

    /// In a task of its own, which is waited for: the outcome must be kept also when the request is over, or the work
    /// could be done again. What cannot be kept leaves the claim, which lets nobody in.
    private func settle(_ body: @escaping @Sendable () async throws -> Void) async {
        _ = await Task(operation: body).result
    }

    private func keep(_ reply: Reply, _ replies: KeptReplies, _ context: Domain.RequestContext) async throws {
        var body: [UInt8]?
        if case .bytes(let bytes) = reply.body, keepsBody, bytes.count <= Limits.keptReplyBytes { body = bytes }
        let kept = KeptReply(status: reply.status.code, contentType: reply.contentType, body: body)
        try await replies.keep(kept, for: key, tenant: context.tenant)
    }

    private static func again(_ kept: KeptReply) throws(GatewayError) -> Reply {
        guard let body = kept.body else {
            throw GatewayError(
                .idempotencyKeyInUse,
                "The request with this Idempotency-Key was done; its answer was not kept."
            )
        }
        return Reply(
            status: HTTPResponse.Status(code: kept.status),
            contentType: kept.contentType,
            headers: [replayed: "true"],
            body: body
        )
    }

    private static func saysNothingWasDone(_ error: any Error) -> Bool {
        guard let failure = error as? any Failure else { return false }
        switch failure.kind {
        case .invalid, .unauthenticated, .forbidden, .notFound, .conflict, .tooLarge, .busy, .notConfigured: return true
        case .timedOut, .cancelled, .corrupt, .internal: return false
        }
    }
}

extension Route {
    /// POST of the platform's own API with a JSON body: all else is either done twice without harm, or a stream.
    var takesIdempotencyKey: Bool {
        method == .post && pattern.description.hasPrefix("/api/v1/") && upload == nil && !isOpen && cost != .search
            && cost != .auth && !reply.isStream
    }

    /// Whether its answers may lie in the database for a day: secrets are shown once, and kept by nobody.
    var keepsReplies: Bool {
        !["/api/v1/api-keys", "/api/v1/chat/tickets", "/api/v1/users/me/password", "/api/v1/invites", "/api/v1/admin"]
            .contains {
                pattern.description.hasPrefix($0)
            }
    }
}
