public import Domain

/// A subscription to a base's changes: what happens is kept as payloads that are read by cursor, and somebody may be
/// told that there are new ones.
public struct Webhook: Sendable, Hashable, Identifiable {
    public let id: WebhookID
    public let base: BaseID
    /// Where notifications go; nil for a webhook that is only read.
    public let notificationURL: String?
    public let specification: WebhookSpecification
    public let expires: Instant
    public let areNotificationsEnabled: Bool
    /// The number that the next payload will get; the first one is 1.
    public let nextPayload: Int64
    public let lastSuccess: Instant?
    public let lastResult: NotificationResult?
    /// Changes of the log up to this one came before it.
    let starts: Int64

    package func isEnabled(at now: Instant) -> Bool { now < expires }
}

/// How the last notification went.
public struct NotificationResult: Sendable, Hashable, Codable {
    public let success: Bool
    public let completed: Instant
    public let durationMilliseconds: Int
    /// Retries before this one.
    public let retry: Int
    /// Set when it failed.
    public let willBeRetried: Bool?
    /// What went wrong, without what the receiver said.
    public let error: String?

    public init(
        success: Bool,
        completed: Instant,
        durationMilliseconds: Int,
        retry: Int,
        willBeRetried: Bool? = nil,
        error: String? = nil
    ) {
        self.success = success
        self.completed = completed
        self.durationMilliseconds = durationMilliseconds
        self.retry = retry
        self.willBeRetried = willBeRetried
        self.error = error
    }
}

/// A webhook just made, with its secret, which is never shown again.
public struct CreatedWebhook: Sendable {
    public let webhook: Webhook
    /// What notifications are signed with, in Base64.
    public let macSecretBase64: String
}

/// A run of a webhook's payloads.
public struct WebhookPayloadPage: Sendable, Hashable {
    public let payloads: [JSONValue]
    /// To go on from.
    public let cursor: Int64
    public let mightHaveMore: Bool

    public init(payloads: [JSONValue], cursor: Int64, mightHaveMore: Bool) {
        self.payloads = payloads
        self.cursor = cursor
        self.mightHaveMore = mightHaveMore
    }
}
