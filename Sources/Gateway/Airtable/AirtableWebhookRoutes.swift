import Airtable
import Domain
import HTTPTypes

/// Webhooks by Airtable's own API. All of them ask for one permission, reading payloads too: who may have a base's
/// changes sent away may as well read them.
enum AirtableWebhookRoutes {
    static let all = [list, create, delete, payloads, enable, refresh]

    private static let webhooks = "/v0/bases/{baseId}/webhooks"
    private static let webhook = webhooks + "/{webhookId}"

    private static let list = Route(
        .get,
        webhooks,
        name: "airtableListWebhooks",
        summary: "The webhooks of a base.",
        reply: .json(WebhookListWire.self, "The webhooks, oldest first."),
        handler: .airtable(.webhooksManage) { call, context in
            let service = try call.services.requireWebhooks()
            let found = try await service.webhooks(in: call.baseID, context: context)
            return try AirtableReply.json([
                "webhooks": .array(found.map { json($0, isEnabled: service.isEnabled($0)) })
            ])
        }
    )

    private static let create = Route(
        .post,
        webhooks,
        name: "airtableCreateWebhook",
        summary: "Makes a webhook that begins with what happens next.",
        body: RouteBody(CreateWebhookBody.self, isChecked: false),
        reply: .json(CreatedWebhookWire.self, "Its identifier, and the secret that notifications are signed with."),
        handler: .airtable(.webhooksManage) { call, context in
            let body = try call.airtableBody()
            guard let specification = body.value("specification") else {
                throw AirtableRefusal.missing("specification")
            }
            let made = try await call.services.requireWebhooks().create(
                WebhookSpecification(specification),
                notificationURL: body.text("notificationUrl"),
                in: call.baseID,
                context: context
            )
            return try AirtableReply.json([
                "id": .string(made.webhook.id.description), "macSecretBase64": .string(made.macSecretBase64),
                "expirationTime": .string(made.webhook.expires.iso8601),
            ])
        }
    )

    private static let delete = Route(
        .delete,
        webhook,
        name: "airtableDeleteWebhook",
        summary: "Deletes a webhook with its payloads.",
        reply: .other("application/json", "It is deleted: an empty object."),
        handler: .airtable(.webhooksManage) { call, context in
            try await call.services.requireWebhooks()
                .delete(call.identifier(.webhookId), in: call.baseID, context: context)
            return try AirtableReply.json([:])
        }
    )

    private static let payloads = Route(
        .get,
        webhook + "/payloads",
        name: "airtableListWebhookPayloads",
        summary: "What happened, one payload for each transaction. Reading gives the webhook another seven days.",
        query: [
            QueryParameter("cursor", "The number of the first payload wanted, from 1.", .integer(minimum: 1)),
            QueryParameter(
                "limit",
                "Payloads of this page.",
                .integer(minimum: 1, maximum: Limits.webhookPayloadPage, default: Limits.webhookPayloadPage)
            ),
        ],
        readsQuery: true,
        reply: .json(WebhookPayloadsWire.self, "The payloads in order, and where to go on."),
        handler: .airtable(.webhooksManage) { call, context in
            let query = try call.airtableQuery()
            let page = try await call.services.requireWebhooks().payloads(
                of: call.identifier(.webhookId),
                in: call.baseID,
                cursor: Int64(query.integer("cursor") ?? 1),
                limit: query.integer("limit") ?? Limits.webhookPayloadPage,
                context: context
            )
            return try AirtableReply.json([
                "payloads": .array(page.payloads), "cursor": .number(JSONNumber(page.cursor)),
                "mightHaveMore": .bool(page.mightHaveMore),
            ])
        }
    )

    private static let enable = Route(
        .post,
        webhook + "/enableNotifications",
        name: "airtableEnableWebhookNotifications",
        summary: "Turns notifications on or off; payloads are made either way.",
        body: RouteBody(EnableNotificationsBody.self, isChecked: false),
        reply: .other("application/json", "It is done: an empty object."),
        handler: .airtable(.webhooksManage) { call, context in
            guard let isEnabled = try call.airtableBody().flag("enable") else {
                throw AirtableRefusal.missing("enable")
            }
            try await call.services.requireWebhooks()
                .setNotifications(isEnabled, of: call.identifier(.webhookId), in: call.baseID, context: context)
            return try AirtableReply.json([:])
        }
    )

    private static let refresh = Route(
        .post,
        webhook + "/refresh",
        name: "airtableRefreshWebhook",
        summary: "Gives a webhook another seven days.",
        reply: .json(RefreshedWebhookWire.self, "When it expires now."),
        handler: .airtable(.webhooksManage) { call, context in
            let expires = try await call.services.requireWebhooks()
                .refresh(call.identifier(.webhookId), in: call.baseID, context: context)
            return try AirtableReply.json(["expirationTime": .string(expires.iso8601)])
        }
    )

    private static func json(_ webhook: Webhook, isEnabled: Bool) -> JSONValue {
        [
            "id": .string(webhook.id.description),
            "areNotificationsEnabled": .bool(webhook.areNotificationsEnabled),
            "cursorForNextPayload": .number(JSONNumber(webhook.nextPayload)),
            "isHookEnabled": .bool(isEnabled),
            "lastSuccessfulNotificationTime": webhook.lastSuccess.map { .string($0.iso8601) } ?? .null,
            "notificationUrl": webhook.notificationURL.map { .string($0) } ?? .null,
            "expirationTime": .string(webhook.expires.iso8601),
            "lastNotificationResult": webhook.lastResult.map(json) ?? .null,
            "specification": webhook.specification.json,
        ]
    }

    private static func json(_ result: NotificationResult) -> JSONValue {
        var members: JSONObject = [
            "success": .bool(result.success),
            "completionTimestamp": .string(result.completed.iso8601),
            "durationMs": .number(JSONNumber(result.durationMilliseconds)),
            "retryNumber": .number(JSONNumber(result.retry)),
        ]
        members["willBeRetried"] = result.willBeRetried.map { .bool($0) }
        members["error"] = result.error.map { ["message": .string($0)] }
        return .object(members)
    }
}
