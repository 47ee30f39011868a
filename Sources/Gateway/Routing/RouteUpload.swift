import Domain

/// A file that a route takes as its body: it goes to disk, not through memory, and the handler gets it whole.
struct RouteUpload: Sendable {
    /// The ending that the name of a file of each media type has.
    static let endings = [
        "text/csv": "csv", "text/tab-separated-values": "tsv", "application/json": "json",
        "application/x-ndjson": "jsonl",
        "application/jsonl": "jsonl",
    ]
    /// What `format` may say in place of the media type.
    static let formats = ["csv", "tsv", "json", "jsonl"]
    static let format = QueryParameter(
        "format",
        "What the file is, when its media type does not say it.",
        .string(enum: formats)
    )

    /// Bytes at most.
    let limit: Int64
    /// A small file that the route takes, of type `text/csv`.
    let sample: String

    init(limit: Int64 = Limits.importBytes, sample: String) {
        self.limit = limit
        self.sample = sample
    }
}
