package import Airtable
package import Domain
package import Jobs

/// How tools that change something are offered.
public enum WriteMode: String, Sendable, Hashable, CaseIterable {
    /// Whoever can be asked is asked, about what needs asking; with the others such changes are refused.
    case asking = "ask"
    /// As `asking`; and who cannot be asked may give back the hash of a dry run, once.
    case dryRun = "dry-run"
    /// Not at all.
    case off
}

/// What writing tools need beside the store.
package struct WritingServices: Sendable {
    /// Keeps files that are sent; without it they are refused.
    package var attachments: AttachmentService?
    /// Remembers what a call with an idempotency key answered; without it such calls are refused.
    package var replies: KeptReplies?
    /// For imports; without it they are refused.
    package var spool: SpoolDirectory?
    package var now: InstantSource

    package init(
        attachments: AttachmentService? = nil,
        replies: KeptReplies? = nil,
        spool: SpoolDirectory? = nil,
        now: @escaping InstantSource = { .now() }
    ) {
        self.attachments = attachments
        self.replies = replies
        self.spool = spool
        self.now = now
    }
}
