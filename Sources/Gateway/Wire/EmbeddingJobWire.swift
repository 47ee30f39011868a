import Domain
import Embeddings
import Jobs
import Search

/// The body that asks for an embedding job.
struct EmbeddingJobDraftWire: DocumentedWireType, Hashable {
    let base: String?
    let tables: [String]?
    let model: String?
    let force: Bool?

    var request: EmbeddingJobRequest {
        EmbeddingJobRequest(base: base, tables: tables, model: model, force: force ?? false)
    }

    static let schemaName = "EmbeddingJobDraft"
    static let schema = JSONSchema.object(
        properties: [
            "base": .string(description: "Name or id of the base; this or `tables`."),
            "tables": .array(of: .string(), description: "Names or ids of tables; these or `base`."),
            "model": .string(
                description: "`local`, `gemini/NAME[@DIMENSIONS]` or `openai/NAME@DIMENSIONS`; the live one when left "
                    + "out. Another one makes a new index of everything beside the old one, and takes over when it is whole."
            ),
            "force": .boolean(description: "Encode also what did not change."),
        ],
        required: []
    )
    static let sample = EmbeddingJobDraftWire(base: "Periodic table", tables: nil, model: nil, force: nil)
}

/// An embedding job.
struct EmbeddingJobWire: DocumentedWireType, Hashable {
    let id: JobID
    let state: String
    let tables: [TableID]
    let model: String
    let changesModel: Bool
    let force: Bool
    let unit: String
    let total: Int
    let done: Int
    let skipped: Int
    let failed: Int
    let failedRecords: [RecordID]
    let encodedTexts: Int
    let tokens: Int
    let perSecond: Double?
    let secondsLeft: Int?
    let createdTime: String
    let startedTime: String?
    let finishedTime: String?
    let message: String?

    init(_ job: EmbeddingJob) {
        id = job.id
        state = job.state.rawValue
        tables = job.tables
        model = job.model.description
        changesModel = job.changesModel
        force = job.isForced
        unit = job.unit.rawValue
        total = job.total
        done = job.done
        skipped = job.skipped
        failed = job.failed
        failedRecords = job.failedRecords
        encodedTexts = job.encodedTexts
        tokens = job.tokens
        perSecond = job.perSecond
        secondsLeft = job.secondsLeft
        createdTime = job.createdTime.iso8601
        startedTime = job.startedTime?.iso8601
        finishedTime = job.finishedTime?.iso8601
        message = job.message
    }

    static let schemaName = "EmbeddingJob"
    static let schema = JSONSchema.object(
        properties: [
            "id": PathParameter.jobId.schema,
            "state": .string(enum: JobState.allCases.map(\.rawValue)),
            "tables": .array(of: PathParameter.tableId.schema),
            "model": .string(),
            "changesModel": .boolean(description: "Whether the model takes over when the job is done."),
            "force": .boolean(),
            "unit": .string(
                description: "What `total`, `done` and `perSecond` count.",
                enum: EmbeddingJob.Unit.allCases.map(\.rawValue)
            ),
            "total": .integer(description: "About, until the job is done.", minimum: 0),
            "done": .integer(description: "Never goes back.", minimum: 0),
            "skipped": .integer(description: "Of those done, the ones whose text was embedded before.", minimum: 0),
            "failed": .integer(description: "Records with a text that the model would not take.", minimum: 0),
            "failedRecords": .array(of: PathParameter.recordId.schema, description: "Some of them."),
            "encodedTexts": .integer(description: "Texts that the model read for this job.", minimum: 0),
            "tokens": .integer(description: "Tokens that the model read for this job.", minimum: 0),
            "perSecond": .number(),
            "secondsLeft": .integer(minimum: 0),
            "createdTime": .string(format: "date-time"),
            "startedTime": .string(format: "date-time"),
            "finishedTime": .string(format: "date-time"),
            "message": .string(description: "Why it failed, or does not get on at present."),
        ],
        required: [
            "id", "state", "tables", "model", "changesModel", "force", "unit", "total", "done", "skipped", "failed",
            "failedRecords", "encodedTexts", "tokens", "createdTime",
        ]
    )
    static let sample = EmbeddingJobWire(EmbeddingJob.sample)
}

extension EmbeddingJob {
    fileprivate static let sample = EmbeddingJob(
        id: JobID("jobElements000001")!,
        state: .running,
        tables: [Sample.table],
        model: .local,
        isForced: false,
        done: 96,
        total: 118,
        skipped: 90,
        encodedTexts: 14,
        tokens: 412,
        createdTime: Sample.time,
        startedTime: Sample.time
    )
}

/// A page of embedding jobs.
struct EmbeddingJobListWire: DocumentedWireType, Hashable {
    let jobs: [EmbeddingJobWire]
    let offset: String?

    static let schemaName = "EmbeddingJobList"
    static let schema = JSONSchema.object(
        properties: [
            "jobs": .array(of: EmbeddingJobWire.schema),
            "offset": .string(description: "Where the next page begins; missing on the last one."),
        ],
        required: ["jobs"]
    )
    static let sample = EmbeddingJobListWire(jobs: [.sample], offset: nil)
}
