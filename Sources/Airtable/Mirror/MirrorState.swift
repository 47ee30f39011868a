public import Domain

/// How far what is here of a hosted base has come. Stored as JSON; all of it can be found out anew.
public struct MirrorState: Sendable, Hashable, Codable {
    /// How far the records of one table have come.
    public struct Progress: Sendable, Hashable, Codable {
        public let table: TableID
        /// Records that the first pull has brought so far.
        public var pulled = 0
        /// Where the first pull goes on: the service's own offset, nil at the beginning.
        public var offset: String?
        public var isPulled = false
        /// What people had changed by then is here; deletions and computed cells may lag behind it.
        public var changesTime: Instant?
        /// By then every record was compared, also for deletions.
        public var sweepTime: Instant?
        /// The next round compares every record, whenever the last one did.
        public var needsSweep = false

        public init(table: TableID) { self.table = table }
    }

    /// A webhook of ours at the hosted service, read by its cursor.
    public struct Webhook: Sendable, Hashable, Codable {
        public let id: String
        public var cursor: Int
        public var expires: Instant?

        public init(id: String, cursor: Int, expires: Instant?) {
            self.id = id
            self.cursor = cursor
            self.expires = expires
        }
    }

    public var tables: [Progress] = []
    /// The schema was compared then.
    public var schemaTime: Instant?
    public var webhook: Webhook?
    /// No webhook is asked for before: the service refused one.
    public var webhookRefusedUntil: Instant?
    /// Why the last round failed; nil when it did not.
    public var problem: String?

    public init() {}

    /// Whether every record has been here once.
    public var isPulled: Bool { schemaTime != nil && tables.allSatisfy(\.isPulled) }

    /// Everything that people had changed by then is here; nil while the first pull runs.
    public var changesTime: Instant? {
        guard isPulled else { return nil }
        return tables.map { $0.changesTime ?? Instant(microseconds: 0) }.min() ?? schemaTime
    }

    /// By then every record of every table was compared; nil while the first pull runs.
    public var sweepTime: Instant? {
        guard isPulled else { return nil }
        return tables.map { $0.sweepTime ?? Instant(microseconds: 0) }.min() ?? schemaTime
    }

    subscript(table: TableID) -> Progress {
        get { tables.first { $0.table == table } ?? Progress(table: table) }
        set {
            if let position = tables.firstIndex(where: { $0.table == table }) {
                tables[position] = newValue
            } else {
                tables.append(newValue)
            }
        }
    }
}

/// A base of the hosted service as it is known here.
public struct HostedBaseStatus: Sendable, Hashable {
    public let base: BaseID
    public let home: BaseHome
    public let state: MirrorState
    /// Whether a process keeps it in step right now.
    public let isTended: Bool

    public init(base: BaseID, home: BaseHome, state: MirrorState, isTended: Bool) {
        self.base = base
        self.home = home
        self.state = state
        self.isTended = isTended
    }
}
