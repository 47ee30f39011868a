import Airtable
import Domain

/// A base of the hosted service as the API shows it.
struct HostedBaseWire: DocumentedWireType, Hashable {
    let id: BaseID
    let home: String
    let state: String
    let changesTime: String?
    let changesAgeSeconds: Int?
    let sweepTime: String?
    let hasWebhook: Bool
    let problem: String?

    init(_ status: HostedBaseStatus, at now: Instant) {
        let state = status.state
        id = status.base
        home = status.home.rawValue
        self.state = state.isPulled || status.home == .hosted ? "following" : "pulling"
        changesTime = state.changesTime?.iso8601
        changesAgeSeconds = state.changesTime.map { Int(max(0, now.microseconds - $0.microseconds) / 1_000_000) }
        sweepTime = state.sweepTime?.iso8601
        hasWebhook = state.webhook != nil
        problem = state.problem
    }

    static let schemaName = "HostedBase"
    static let schema = JSONSchema.object(
        properties: [
            "id": PathParameter.baseId.schema,
            "home": .string(
                description: "Whether each record is asked for there, or a copy here answers.",
                enum: ["hosted", "mirrored"]
            ),
            "state": .string(enum: ["pulling", "following"]),
            "changesTime": .string(description: "What people had changed by then is here.", format: "date-time"),
            "changesAgeSeconds": .integer(description: "How long ago that was."),
            "sweepTime": .string(
                description: "By then every record was compared, for deletions and computed cells too.",
                format: "date-time"
            ),
            "hasWebhook": .boolean(description: "Whether the service tells what changes."),
            "problem": .string(description: "Why the last round failed; absent when it did not."),
        ],
        required: ["id", "home", "state", "hasWebhook"],
        description: "A base that lives at the hosted service, which is the truth."
    )

    static let sample = HostedBaseWire(
        HostedBaseStatus(base: Sample.base, home: .mirrored, state: MirrorState(), isTended: true),
        at: Sample.time
    )
}

struct HostedBaseListWire: DocumentedWireType, Hashable {
    let bases: [HostedBaseWire]

    static let schemaName = "HostedBaseList"
    static let schema = JSONSchema.object(
        properties: ["bases": .array(of: HostedBaseWire.schema)],
        required: ["bases"]
    )
    static let sample = HostedBaseListWire(bases: [.sample])
}
