public import Domain
public import Embeddings
public import Jobs

/// What an embedding job is to do. Exactly one of `base` and `tables` is given.
public struct EmbeddingJobRequest: Sendable, Hashable {
    /// Name or id.
    public var base: String?
    /// Names or ids.
    public var tables: [String]?
    /// The model that is to make the vectors; nil for the live one. Another one changes the model of the whole index,
    /// whatever base or tables are named: a question is compared with vectors of one model only.
    public var model: String?
    /// Encodes also what did not change.
    public var force: Bool

    public init(base: String? = nil, tables: [String]? = nil, model: String? = nil, force: Bool = false) {
        self.base = base
        self.tables = tables
        self.model = model
        self.force = force
    }
}

/// An embedding job as people and programs see it.
public struct EmbeddingJob: Sendable, Hashable {
    /// What `done` and `total` count.
    public enum Unit: String, Sendable, Hashable, CaseIterable {
        case records
        /// Of a change of the model: the pieces of records that have a vector each.
        case texts
    }

    public let id: JobID
    public let state: JobState
    public let tables: [TableID]
    public let model: EmbeddingModelName
    public let changesModel: Bool
    public let isForced: Bool
    public let unit: Unit
    /// Neither number ever goes back. The total is about right until the end.
    public let done: Int
    public let total: Int
    /// Of those done, the ones whose vectors were there already, by the hash of their text.
    public let skipped: Int
    /// Records with a text that the model would not take, and some of them.
    public let failed: Int
    public let failedRecords: [RecordID]
    /// Texts that the model read for this job, and its tokens.
    public let encodedTexts: Int
    public let tokens: Int
    /// Of `unit`; nil before anything is done.
    public let perSecond: Double?
    /// Until it is done, at that rate; nil unless it is running.
    public let secondsLeft: Int?
    public let createdTime: Instant
    public let startedTime: Instant?
    public let finishedTime: Instant?
    /// Why it failed, or does not get on at present.
    public let message: String?
}

extension EmbeddingJob {
    /// For examples and tests: an ordinary job of records.
    package init(
        id: JobID,
        state: JobState,
        tables: [TableID],
        model: EmbeddingModelName,
        isForced: Bool,
        done: Int,
        total: Int,
        skipped: Int,
        encodedTexts: Int,
        tokens: Int,
        createdTime: Instant,
        startedTime: Instant?
    ) {
        self.id = id
        self.state = state
        self.tables = tables
        self.model = model
        changesModel = false
        self.isForced = isForced
        unit = .records
        self.done = done
        self.total = total
        self.skipped = skipped
        failed = 0
        failedRecords = []
        self.encodedTexts = encodedTexts
        self.tokens = tokens
        perSecond = nil
        secondsLeft = nil
        self.createdTime = createdTime
        self.startedTime = startedTime
        finishedTime = nil
        message = nil
    }

    /// - Throws: `JobError.corrupt` when the job is none of these.
    init(_ job: Job, now: Instant) throws {
        let task = try EmbeddingTask(job.payload)
        let details = job.progress.details
        func number(_ key: String) -> Int { details[key]?.intValue ?? 0 }
        let (done, total) = (Int(job.progress.done), Int(job.progress.total))
        var rate: Double?
        var secondsLeft: Int?
        if let started = job.startedTime, done > 0 {
            let seconds = Double((job.finishedTime ?? now).microseconds - started.microseconds) / 1_000_000
            if seconds > 0 { rate = Double(done) / seconds }
        }
        if job.state == .running, let rate, rate > 0 {
            secondsLeft = Int((Double(max(0, total - done)) / rate).rounded(.up))
        }
        id = job.id
        state = job.state
        tables = task.tables
        model = task.model
        changesModel = task.changesModel
        isForced = task.isForced
        unit = task.changesModel ? .texts : .records
        self.done = done
        self.total = total
        skipped = number("skipped")
        failed = number("failed")
        let records = details["failedRecords"]?.arrayValue ?? []
        failedRecords = records.compactMap { $0.stringValue.flatMap { RecordID($0) } }
        encodedTexts = number("encoded")
        tokens = number("tokens")
        perSecond = rate.map { ($0 * 10).rounded() / 10 }
        self.secondsLeft = secondsLeft
        createdTime = job.createdTime
        startedTime = job.startedTime
        finishedTime = job.finishedTime
        message = job.message ?? details["trouble"]?.stringValue
    }
}

/// A part of the embedding jobs, newest first.
public struct EmbeddingJobPage: Sendable, Hashable {
    public let jobs: [EmbeddingJob]
    public let next: JobCursor?

    package init(jobs: [EmbeddingJob], next: JobCursor?) {
        self.jobs = jobs
        self.next = next
    }
}

/// What a job's row says is to be done.
struct EmbeddingTask: Sendable, Hashable {
    var tables: [TableID]
    var bases: Set<BaseID>
    var model: EmbeddingModelName
    var changesModel: Bool
    var isForced: Bool

    init(tables: [TableID], bases: Set<BaseID>, model: EmbeddingModelName, changesModel: Bool, isForced: Bool) {
        self.tables = tables
        self.bases = bases
        self.model = model
        self.changesModel = changesModel
        self.isForced = isForced
    }

    init(_ payload: JSONObject) throws {
        guard let tables = payload["tables"]?.arrayValue, let bases = payload["bases"]?.arrayValue,
            let model = payload["model"]?.stringValue.flatMap({ EmbeddingModelName($0) })
        else { throw JobError(.corrupt, "A stored embedding job is damaged.") }
        self.init(
            tables: tables.compactMap { $0.stringValue.flatMap { TableID($0) } },
            bases: Set(bases.compactMap { $0.stringValue.flatMap { BaseID($0) } }),
            model: model,
            changesModel: payload["changesModel"] == true,
            isForced: payload["force"] == true
        )
    }

    var payload: JSONObject {
        [
            "tables": .array(tables.map { .string($0.description) }),
            "bases": .array(bases.sorted().map { .string($0.description) }),
            "model": .string(model.description), "changesModel": .bool(changesModel), "force": .bool(isForced),
        ]
    }
}

extension EncodingCounts {
    func details(trouble: String?) -> JSONObject {
        var details: JSONObject = [
            "skipped": .number(JSONNumber(skipped)), "encoded": .number(JSONNumber(encoded)),
            "tokens": .number(JSONNumber(tokens)), "failed": .number(JSONNumber(failed)),
            "failedRecords": .array(failedRecords.map { .string($0.description) }),
        ]
        if let trouble { details["trouble"] = .string(trouble) }
        return details
    }
}
