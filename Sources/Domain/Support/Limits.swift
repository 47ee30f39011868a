/// Every bound of the product, each with its reason.
public enum Limits {
    /// JSON: deep enough for any honest document, far from exhausting a stack of 512 KiB.
    public static let jsonDepth = 64
    /// JSON: one request body, MCP message or document read whole.
    public static let jsonBytes = 4 * 1_024 * 1_024
    /// JSON: values and keys of one document, so that `[0,0,0,…` can't turn 4 MiB into hundreds.
    public static let jsonElements = 1_000_000
    /// JSON: one string as written; a cell of the longest text with every character escaped fits.
    public static let jsonStringBytes = 2 * 1_024 * 1_024
    /// JSON: one number as written; the longest exact binary fraction fits.
    public static let jsonNumberBytes = 1_100
    /// JSON: what one writer produces before it gives up; far above any answer we mean to give.
    public static let jsonOutputBytes = 64 * 1_024 * 1_024
    /// Characters of a query: longer text is cut by every model anyway.
    public static let queryCharacters = 8_192
    /// Hits of one search: a page of results that a person or a model can read.
    public static let searchHits = 100
    /// Bases, and tables, that one search names: each is compared with every name there is.
    public static let searchPlaces = 100
    /// Records of one page, as Airtable's own.
    public static let pageRecords = 100
    /// Records of one batch call, as Airtable's own.
    public static let batchRecords = 10
    /// Characters of one text cell, as Airtable's own.
    public static let cellCharacters = 100_000
    /// Windows one long text is cut into for embedding; what lies beyond is found by words only.
    public static let windowsPerField = 32
    /// MCP: requests of one session being worked on at once; well above what a client fans out, and a bound on memory.
    public static let mcpRequestsInFlight = 128
    /// MCP: messages of one batch (revision 2025-03-26 only).
    public static let mcpBatchMessages = 100
    /// MCP: bytes read ahead, and bytes waiting to be written, before the side that produces them waits.
    public static let mcpQueueBytes = 256 * 1_024
    /// MCP: tools on one page of `tools/list`; today's catalogue fits on one.
    public static let mcpToolsPage = 100
    /// Keys verified within the last moment that are remembered; about 1 KB each.
    public static let cachedKeys = 4_096
    /// API keys of a tenant: more than people and programs need, few enough to list whole.
    public static let keysPerTenant = 1_000
    /// Users of a tenant: few enough to list whole until lists have pages.
    public static let usersPerTenant = 1_000
    /// Bytes of one stored credential: the longest tokens and service account files fit.
    public static let credentialBytes = 16 * 1_024
    /// Tenants whose schema one process keeps at hand: a schema of a hundred tables takes about 100 KB.
    public static let cachedSchemas = 256
    /// Records of one page or one batch inside the process, where no HTTP body bounds them.
    public static let internalPageRecords = 1_000
    /// Characters of a name of a base, table, field or choice.
    public static let nameCharacters = 255
    /// Characters of a description of a table or field, as Airtable's own.
    public static let descriptionCharacters = 20_000
    /// Tables of one base, as Airtable's own.
    public static let tablesPerBase = 1_000
    /// Fields of one table, as Airtable's own.
    public static let fieldsPerTable = 500
    /// Choices of one select field, as Airtable's own.
    public static let choicesPerField = 10_000
    /// Records that one cell links to: its text is read and written whole.
    public static let linksPerCell = 100_000
    /// Entries of the change log that one call reads or one transaction trims.
    public static let changePageEntries = 1_000
    /// The change log of one tenant, unless the settings say otherwise.
    public static let changeLogBytes: Int64 = 1_024 * 1_024 * 1_024
    public static let changeLogDays = 30
    /// Rows that one transaction of a long clean-up removes: about 10 ms of the write lock.
    public static let sweepRows = 2_000
    /// Vector indexes that one process keeps open: a file mapping or two each.
    public static let openCollections = 64
    /// Units that each side of a search, words and meaning, proposes: some records have many.
    public static let searchCandidates = 480
    /// Computations of one priority that may wait for a thread: more than any honest load, small in memory.
    public static let computeQueue = 4_096
    /// Rows of the embedding cache over all tenants: about 1.7 GB of 384-dimensional vectors.
    public static let embeddingCacheRows = 1_000_000
    /// HTTP: one body, unless its route says otherwise; far above any search and any batch of records.
    public static let requestBodyBytes = 1_024 * 1_024
    /// HTTP: path and query together; nothing this API takes comes near.
    public static let uriBytes = 8 * 1_024
    /// HTTP: all header fields of a request together, and their number.
    public static let headerBytes = 16 * 1_024
    public static let headerFields = 100
    /// Metrics: label sets of one metric; a label that takes more values than this is a mistake.
    public static let metricSeries = 1_000
    /// HTTP: linked records of one field that a record's answer names; people read no more.
    public static let linkedNames = 100
    /// HTTP: the body of a search; the longest query with every character escaped fits.
    public static let searchBodyBytes = 128 * 1_024
    /// HTTP: a body this short is skipped when nobody read it; after a longer one the connection ends.
    public static let skippedBodyBytes = 64 * 1_024
}
