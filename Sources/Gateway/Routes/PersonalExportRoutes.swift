import Access
import Airtable
import Chat
import Domain
import HTTPTypes

/// What the server knows of a user as a person, handed over to them.
enum PersonalExportRoutes {
    static let all = [export]

    private static let export = Route(
        .get,
        "/api/v1/users/me/export",
        name: "exportMe",
        summary:
            "All that is yours in this tenant as one file of JSON Lines: yourself, your sessions and keys, your "
            + "conversations with their messages. What you wrote into bases is the tenant's.",
        reply: .file("application/x-ndjson", "The file. Each line has a `type` and a member of that name."),
        timeout: Limits.portingTime,
        endsWithClient: true,
        handler: .signedIn { call, context in
            let services = call.services
            try await services.access.audit.record(
                .exported,
                by: context,
                object: AuditObject(.user, context.principal.user)
            )
            let file = try services.spool.makeFile(byteLimit: Limits.exportBytes)
            func write(_ type: String, _ value: some WireType) throws { try file.write(line(type, value)) }
            let profile = try await services.accounts.profile(context: context)
            try write("user", MeWire(profile, permissions: context.principal.permissions))
            for session in try await services.access.ownSessions(context: context) {
                try write("session", SessionWire(session, current: context.principal.session))
            }
            for key in try await services.access.keys(context: context) where key.owner == context.principal.user {
                try write("apiKey", APIKeyWire(key))
            }
            try await conversations(services.chat, context) { conversation, messages in
                try write("conversation", ConversationWire(conversation))
                for message in messages { try write("message", ChatMessageWire(message)) }
            }
            return ExportRoutes.reply(file, contentType: "application/x-ndjson", name: "me.jsonl")
        }
    )

    private static func line(_ type: String, _ value: some WireType) throws -> [UInt8] {
        let members: JSONObject = ["type": .string(type), type: try JSONCoder.value(of: value)]
        return JSONValue.object(members).encoded() + [UInt8(ascii: "\n")]
    }

    /// Those that the caller sees, as they do: what quotes bases that are kept from them is kept from them here too.
    private static func conversations(
        _ chat: any ChatServing,
        _ context: Domain.RequestContext,
        _ body: (Conversation, [ChatMessage]) throws -> Void
    ) async throws {
        guard context.principal.permissions.contains(.chat) else { return }
        var last: ConversationID?
        repeat {
            let page: [Conversation]
            do {
                page = try await chat.conversations(limit: Limits.conversationPage, after: last, context: context)
            } catch let failure as any Failure where failure.kind == .notConfigured {
                // A server without chat has no conversations.
                return
            }
            for conversation in page {
                do {
                    try body(conversation, try await chat.messages(of: conversation.id, context: context))
                } catch let failure as any Failure where failure.kind == .notFound {
                    // Deleted meanwhile.
                }
            }
            last = page.count == Limits.conversationPage ? page.last?.id : nil
        } while last != nil
    }
}
