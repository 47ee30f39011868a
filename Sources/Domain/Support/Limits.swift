/// Every bound of the product, each with its reason.
public enum Limits {
    /// Hosted service: calls that wait for one base; at 5 a second their callers have gone long before.
    public static let hostedQueueCalls = 10_000
    /// Hosted service: calls of one base under way at once; at 5 a second each may then take six seconds.
    public static let hostedCallsInFlight = 32
    /// Hosted service: bytes of an address beyond which a listing is asked for by POST; its own bound is 16,000.
    public static let hostedURLBytes = 15_000
    /// Hosted service: bytes of one reply; a hundred records of several longest texts fit.
    public static let hostedReplyBytes = 32 * 1_024 * 1_024
    /// Hosted service: callers whose last turn is remembered, so that who comes back does not go before who waits.
    public static let hostedCallers = 1_024
    /// Hosted service: bytes of one of its offsets that we take back; those seen have 35.
    public static let hostedOffsetBytes = 1_024
    /// Hosted service: bytes of answers that one process keeps, which are seconds old.
    public static let hostedCacheBytes = 32 * 1_024 * 1_024
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
    /// Fields that one list is sorted by: more than anybody tells apart.
    public static let sortFields = 10
    /// Bytes of keys that one sort holds: some 2 million records by two short texts.
    public static let sortKeyBytes = 256 * 1_024 * 1_024
    /// Sorted lists that one process keeps for their next pages, at 8 bytes a record; and one tenant's share of both.
    public static let keptListings = 4_096
    public static let keptListingsPerTenant = 256
    public static let keptListingBytes = 128 * 1_024 * 1_024
    public static let keptListingBytesPerTenant = 32 * 1_024 * 1_024
    /// A sorted list unused this long is forgotten: a client that pages asks within seconds.
    public static let keptListingSeconds = 300
    /// Characters of one comment: a long letter.
    public static let commentCharacters = 32_000
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
    /// MCP over HTTP: sessions of one process, some 20 KB each with what they follow (docs/performance.md); the one unused
    /// longest makes room.
    public static let mcpSessions = 4_096
    /// MCP over HTTP: sessions of one key: a team's worth of clients, and no way to push everybody else out.
    public static let mcpSessionsPerKey = 256
    /// MCP over HTTP: a session unused this long is forgotten; its client opens another.
    public static let mcpSessionIdleSeconds = 4 * 3_600
    /// MCP over HTTP: streams one session holds open to listen; more are most likely connections that broke.
    public static let mcpStreamsPerSession = 4
    /// Keys verified within the last moment that are remembered; about 1 KB each.
    public static let cachedKeys = 4_096
    /// API keys of a tenant: more than people and programs need, few enough to list whole.
    public static let keysPerTenant = 1_000
    /// Users of a tenant: few enough to list whole until lists have pages.
    public static let usersPerTenant = 1_000
    /// Bytes of one stored credential: the longest tokens and service account files fit.
    public static let credentialBytes = 16 * 1_024
    /// Connections to one host for outgoing calls: each streams one answer.
    public static let outboundConnections = 256
    /// Outgoing calls of a process at once, each with a socket and a stream; above the 200 streams we mean to serve.
    public static let outboundCalls = 512
    /// One server-sent event of an upstream; the longest honest one is a whole answer with its reasoning.
    public static let outboundEventBytes = 8 * 1_024 * 1_024
    /// What is read of an upstream's error: the longest that explain anything are a few KB.
    public static let outboundErrorBytes = 64 * 1_024
    /// OpenAI's dialect: tools of one request, and calls of one message; OpenAI itself takes 128 tools.
    public static let dialectTools = 1_024
    /// Upstreams whose circuits one process remembers.
    public static let outboundCircuits = 256
    /// Tenants whose schema one process keeps at hand: a schema of a hundred tables takes about 100 KB.
    public static let cachedSchemas = 256
    /// Records of a table from which on a field that is filtered by gets an index; fewer are looked through in some
    /// milliseconds.
    public static let indexedTableRecords = 5_000
    /// Fields of one table that have an index for filters: each costs every write of a record a row more.
    public static let fieldIndexesPerTable = 8
    /// Fields whose filters one process counts until they deserve an index; forgotten together beyond that.
    public static let fieldIndexWishes = 1_024
    /// Records of one page or one batch inside the process, where no HTTP body bounds them.
    public static let internalPageRecords = 1_000
    /// Files of exports and uploads that one process has at once: an export holds a reader of the database and a core
    /// for as long as its snapshot is read, an upload fills a disk.
    public static let spooledFiles = 4
    /// Bytes of one export: a million records of a kilobyte fit, and a disk is not filled by one request.
    public static let exportBytes: Int64 = 4 * 1_024 * 1_024 * 1_024
    /// Bytes of one upload to be imported; more is imported by the command line.
    public static let importBytes: Int64 = 1_024 * 1_024 * 1_024
    /// How long an export or an upload may take until its answer begins: a gigabyte by a slow line.
    public static let portingTime = Duration.seconds(1_800)
    /// Bytes of one line of a base document: a table of 500 fields, several of them with 10,000 choices.
    public static let baseDocumentLineBytes = 64 * 1_024 * 1_024
    /// Characters of a name of a base, table, field or choice.
    public static let nameCharacters = 255
    /// Characters of a description of a table or field, as Airtable's own.
    public static let descriptionCharacters = 20_000
    /// Tables of one base, as Airtable's own.
    public static let tablesPerBase = 1_000
    /// Fields of one table, as Airtable's own.
    public static let fieldsPerTable = 500
    /// Views of one table: each list by view looks through all of them.
    public static let viewsPerTable = 1_000
    /// Choices of one select field, as Airtable's own.
    public static let choicesPerField = 10_000
    /// Records that one cell links to: its text is read and written whole.
    public static let linksPerCell = 100_000
    /// People in one cell: more than any tenant has members would help nobody.
    public static let collaboratorsPerCell = 1_000
    /// Files in one cell: each is some 200 bytes in the row, which is read and written whole.
    public static let attachmentsPerCell = 1_000
    /// Bytes of an address that an attachment is fetched from.
    public static let attachmentURLBytes = 16_384
    /// Characters of a formula as it is stored with its field; the longest known filter has 17,000.
    public static let formulaCharacters = 100_000
    /// Bytes of one computed cell: the longest text fits; more is an error in the cell, since its row is read and
    /// written whole.
    public static let computedCellBytes = 512 * 1_024
    /// Computed cells that one write makes anew: some ten seconds of the write lock. A record that 100,000 others
    /// link to can still be changed when two of their fields follow it.
    public static let computedCellsPerWrite = 200_000
    /// Parts of the prompt of an aiText field.
    public static let promptParts = 1_000
    /// Entries of the change log that one call reads or one transaction trims.
    public static let changePageEntries = 1_000
    /// Records that one undo puts back: what the largest write changes, with two others that link to each; some seconds
    /// of the write lock.
    public static let undoRecords = 30_000
    /// What stands against an undo, told one by one: nobody reads more, and each costs a look into the log.
    public static let undoObstacles = 100
    /// Bytes of change log entries that one page of a history reads.
    public static let historyPageBytes = 4 * 1_024 * 1_024
    /// The change log of one tenant, unless the settings say otherwise.
    public static let changeLogBytes: Int64 = 1_024 * 1_024 * 1_024
    public static let changeLogDays = 30
    /// Rows that one transaction of a long clean-up removes: about 10 ms of the write lock.
    public static let sweepRows = 2_000
    /// Vector indexes that one process keeps open: a file mapping or two each.
    public static let openCollections = 64
    /// Units that each side of a search, words and meaning, proposes: some records have many.
    public static let searchCandidates = 480
    /// Pieces of one record that others are compared with: more say little new, and each costs an encoding.
    public static let similarUnits = 16
    /// Words whose vectors are remembered for judging answers; about 6 MB at 384 dimensions.
    public static let wordVectors = 4_096
    /// Records read to choose an answer from, and pieces of one that are encoded to find the best.
    public static let answerRecords = 48
    public static let answerPieces = 32
    /// Fields whose names a question is put under to choose an answer: each is a text to encode.
    public static let answerFields = 16
    /// Gemini: texts of one embedding request, as Google's own.
    public static let embeddingBatchTexts = 100
    /// Gemini: tokens of one embedding request, counted from above; well below what the API has been seen to refuse.
    public static let embeddingBatchTokens = 20_000
    /// Gemini: bytes of one request, as Google's own.
    public static let geminiRequestBytes = 20 * 1_024 * 1_024
    /// Gemini: requests that one turn is spread over by continuation; an answer of that many is no answer any more.
    public static let geminiHops = 16
    /// Records that one aggregation looks at: seconds of reading.
    public static let aggregateRecords = 500_000
    /// Groups of one aggregation, in memory and in an answer that somebody reads.
    public static let aggregateGroups = 10_000
    public static let aggregateGroupsShown = 500
    /// Computations of one priority that may wait for a thread: more than any honest load, small in memory.
    public static let computeQueue = 4_096
    /// Rows of the embedding cache over all tenants: about 1.7 GB of 384-dimensional vectors.
    public static let embeddingCacheRows = 1_000_000
    /// Jobs: times a job is taken up without getting on: enough for a bad minute, few enough to be told the same day.
    public static let jobAttempts = 8
    /// Jobs: done at once by one process; each mostly waits.
    public static let jobsAtOnce = 2
    /// Jobs: of one tenant and kind that wait or run; more is a program gone wrong.
    public static let jobsUnfinished = 100
    /// Jobs: tables that one embedding job names.
    public static let jobTables = 100
    /// Jobs: records that an embedding job names as failed; their number is told whole.
    public static let jobFailedRecords = 100
    /// Embeddings: texts of one call, and characters of them together: a few seconds of encoding.
    public static let embeddingInputs = 128
    public static let embeddingCharacters = 200_000
    /// Embeddings: texts of one call to a model elsewhere, as Google's own bound.
    public static let remoteBatchTexts = 100
    /// Embeddings: tokens of one such call, estimated from above; well below what Gemini has been seen to refuse, and
    /// one call is one of many and not a minute long.
    /// Embeddings: texts of bulk work that may be read and not yet kept, one batch: what a sudden end costs.
    public static let embeddingTextsUnderWay = 100
    /// Embeddings: estimated tokens of one such call, so that one call is one of many and not a minute long.
    public static let remoteBatchTokens = 20_000
    /// Embeddings: such calls under way at once for one piece of bulk work.
    public static let remoteCallsAtOnce = 4
    /// Search: how long a question's vector from a model elsewhere is waited for before words alone answer. Honest
    /// services take a fifth of it, and nobody looks at an empty page for longer.
    public static let questionVectorTime = Duration.seconds(4)
    /// Embeddings: the one call that asks a model elsewhere how many components its vectors have; local servers load
    /// the model first.
    public static let dimensionProbeTime = Duration.seconds(30)
    /// Embeddings: components of a vector from elsewhere; the largest models of today give 4,096.
    public static let vectorDimensions = 8_192
    /// HTTP: one body, unless its route says otherwise; far above any search and any batch of records.
    public static let requestBodyBytes = 1_024 * 1_024
    /// HTTP: bases whose requests are counted when Airtable's rate limit is emulated; some 100 bytes each.
    public static let countedBases = 4_096
    /// Metrics: label sets of one metric; a label that takes more values than this is a mistake.
    public static let metricSeries = 1_000
    /// HTTP: linked records of one field that a record's answer names; people read no more.
    public static let linkedNames = 100
    /// HTTP: the body of a search; the longest query with every character escaped fits.
    public static let searchBodyBytes = 128 * 1_024
    /// HTTP: a body this short is skipped when nobody read it; after a longer one the connection ends.
    public static let skippedBodyBytes = 64 * 1_024
    /// HTTP: turns with tool calls that were given to callers of OpenAI's dialect and may come back; some KB each.
    public static let rememberedTurns = 4_096
    /// HTTP: how long one streamed answer may go on; a client comes back where it was.
    public static let streamSeconds = 3_600
    /// HTTP: how long a client may take nothing from a streamed answer before it is cut.
    public static let streamStallSeconds = 60
    /// Life of a ticket for a WebSocket: from the answer that has it to the handshake on a slow phone.
    public static let ticketSeconds = 30
    /// Tickets that wait to be used, and those of one user: a browser needs one a tab.
    public static let tickets = 10_000
    public static let ticketsPerUser = 50
    /// HTTP: a chat message with settings; the longest question with every character escaped fits.
    public static let chatBodyBytes = 256 * 1_024
    /// Conversations of one page.
    public static let conversationPage = 100
    /// Chat: runs of one process at once; a run that waits for its model costs some 100 KB.
    public static let chatRuns = 1_000
    /// Chat: runs of one user at once; more than a person reads, and no user takes all places.
    public static let chatRunsPerUser = 8
    /// Chat: a run from question to last event; people have gone by then.
    public static let chatRunTime = Duration.seconds(600)
    /// Chat: Unicode scalars of one message; a long letter, well within every model's input.
    public static let chatMessageCharacters = 32_000
    /// Chat: messages of one conversation; it is read whole.
    public static let chatMessages = 2_000
    /// Chat: bytes of one run's events that wait to be stored before its model's stream is slowed.
    public static let chatDraftBytes = 64 * 1_024
    /// Chat: bytes of a run's newest stored events that are kept at hand for those who follow: some 20 tokens, more than a
    /// third of a second of a fast model; who is further behind reads from the store.
    public static let chatRecentBytes = 6 * 1_024
    /// Chat: stored events that a follower who fell behind reads at once.
    public static let chatEventPage = 256
    /// Chat: records that one run may show its model and cite.
    public static let chatEvidence = 2_000
    /// Chat: tools that the settings of a conversation may name; many times as many as there are.
    public static let chatSettingsTools = 100
    /// Runs: turns of the model; an honest question over several tables takes three to six.
    public static let runSteps = 12
    /// Runs: calls of one turn that are run at once; each may hold a connection of the database.
    public static let runParallelCalls = 8
    /// Runs: one tool call; far above any search, and short enough that a person still waits.
    public static let runToolTime = Duration.seconds(20)
    /// Runs: the whole run; twelve slow turns fit, a forgotten one ends.
    public static let runTime = Duration.seconds(600)
    /// Runs: tokens of all turns; a long conversation read twelve times fits.
    public static let runTokens = 2_000_000
    /// Runs: the same calls with the same arguments for this many turns lead nowhere.
    public static let runRepeats = 3
    /// Runs: output tokens of one turn, when nobody asks for another number.
    public static let turnOutputTokens = 8_192
    /// Runs: tokens that a provider may say one reply cost; beyond is a mistake or malice, and sums must not overflow.
    public static let reportedTokens = 1_000_000_000
    /// Runs: a turn that could write fewer tokens than this is not begun.
    public static let turnOutputTokensMin = 64
    /// Runs: Unicode scalars of a tool's result that a model is given; about 6,000 tokens.
    public static let toolResultCharacters = 24_000
    /// Runs: bytes of one recorded body of a provider; the longest replies we have seen are a tenth.
    public static let recordedBodyBytes = 2 * 1_024 * 1_024
    /// Runs: recorded exchanges of one run: every step with its retries.
    public static let recordedExchanges = 200
    /// Runs: bytes recorded of one run.
    public static let recordedRunBytes = 16 * 1_024 * 1_024
    /// Models that one process remembers, whose own limits it learns at once: callers may name any.
    public static let cataloguedModels = 64
    /// Bytes of a scripted model's file.
    public static let modelScriptBytes = 4 * 1_024 * 1_024
    /// WebSocket: one message of a client; a long question fits.
    public static let socketMessageBytes = 64 * 1_024
    /// WebSocket: pieces of one message, so that nobody sends a byte at a time.
    public static let socketFragments = 64
    /// WebSocket: runs that one socket follows at once: more than anybody reads.
    public static let socketRuns = 32
    /// WebSocket: sockets of one user: tabs and devices, and no way to take every connection there is.
    public static let socketsPerUser = 1_000
    /// WebSocket: messages of one client a second, after a burst: far above typing, far below a flood.
    public static let socketMessagesPerSecond = 20
    public static let socketMessageBurst = 60
    /// WebSocket: messages in a row beyond the limit before the socket is closed.
    public static let socketRefusals = 200
    /// Processor time that the filter of one list, or of one table of a search, may take: far above any honest one
    /// (a plain filter takes 50 ms for 100,000 records), and below what a client waits.
    public static let listingNanoseconds: UInt64 = 10_000_000_000
    /// Records that a search may be narrowed down to by a filter; 8 bytes each, and looked up in the index.
    public static let searchFilterRecords = 500_000
    /// Formula: bytes of one formula's text; the longest filters people generate are a tenth.
    public static let formulaBytes = 512 * 1_024
    /// Formula: parentheses, calls and signs within each other; generated filters reach some hundreds.
    public static let formulaNesting = 2_000
    /// Formula: bytes of one text that a formula makes; above the longest cell, and a bound on REPT in REPT.
    public static let formulaTextBytes = 1_024 * 1_024
    /// Formula: bytes and items that one evaluation reads and writes; half a second at worst, far above any honest one.
    public static let formulaWork = 32 * 1_024 * 1_024
    /// Formula: bytes of one date format; the longest honest ones are sentences.
    public static let formulaDateFormatBytes = 4_096
    /// Formula: bytes of a text that is read as a date; each part may be looked for through the whole of it.
    public static let formulaDateTextBytes = 1_024
    /// Formula: compiled date formats that are remembered, twice as many at most; about 1 KB each.
    public static let formulaDateFormats = 512
    /// Formula: time zones that are remembered, twice as many at most; there are some 600 names.
    public static let formulaZones = 600
    /// Formula: languages whose names are remembered, twice as many at most; about 20 KB each.
    public static let formulaLocales = 128
    /// Regular expressions: bytes of a pattern; longer ones are lists that belong in a table.
    public static let regexPatternBytes = 16 * 1_024
    /// Regular expressions: bytes for a compiled pattern and its automata; what needs more is refused.
    public static let regexMemoryBytes = 2 * 1_024 * 1_024
    /// Regular expressions: compiled patterns that are remembered, twice as many at most: 128 MiB at the very worst.
    public static let regexPatterns = 32
    /// Regular expressions: steps of one search, the bytes of the text times the instructions of the pattern: a second
    /// at worst, when the pattern's automaton outgrows its memory, and milliseconds otherwise.
    public static let regexWork = 100_000_000
    /// Regular expressions: processor time of one replacement of all matches; a million honest ones need less.
    public static let regexReplaceNanoseconds: UInt64 = 500_000_000
    /// Outgoing calls to addresses that users gave, at once, and to one host: enough for a batch of files, and no way to
    /// make this server a flood.
    public static let foreignCalls = 64
    public static let foreignCallsPerHost = 8
    /// Attachments: one file sent in a request, as Airtable's own.
    public static let uploadBytes = 5 * 1_024 * 1_024
    /// Attachments: the request that carries it as Base64 with line breaks (4/3, and 1/38 more), and its names.
    public static let uploadBodyBytes = 8 * 1_024 * 1_024
    /// Attachments: how long an upload may take: the largest at a megabit a second.
    public static let uploadTime = Duration.seconds(80)
    /// Attachments: one file fetched by its address, as Airtable's own.
    public static let attachmentBytes = 1_024 * 1_024 * 1_024
    /// Attachments: how long fetching one may take: a gigabyte at 4 MB/s.
    public static let attachmentFetchTime = Duration.seconds(250)
    /// Attachments: redirects of one address, as Airtable's own.
    public static let attachmentRedirects = 3
    /// Attachments: files that one call has fetched, and how many of them at once.
    public static let attachmentFetches = 100
    public static let attachmentFetchesAtOnce = 4
    /// Attachments: how long an address of a file's bytes may be used, as Airtable's own.
    public static let attachmentLinkSeconds: Int64 = 2 * 3_600
    /// Attachments: bytes read at the head of a file to tell its type and size in pixels; JPEG keeps its own behind
    /// what cameras put first.
    public static let attachmentHeadBytes = 256 * 1_024
    /// Attachments: bytes read from disk and sent at once; the next are read when the client has taken them.
    public static let attachmentPieceBytes = 256 * 1_024
    /// Webhooks of one base, as Airtable's own.
    public static let webhooksPerBase = 10
    /// Webhooks: life after creation, refresh or reading, and of payloads; as Airtable's own.
    public static let webhookSeconds: Int64 = 7 * 86_400
    public static let webhookPayloadSeconds: Int64 = 7 * 86_400
    /// Webhooks: payloads of one page, as Airtable's own.
    public static let webhookPayloadPage = 50
    /// Webhooks: bytes of one page of payloads, of which one is given at least.
    public static let webhookPageBytes = 4 * 1_024 * 1_024
    /// Webhooks: characters of a notification's address.
    public static let webhookURLCharacters = 2_048
    /// Webhooks: fields named by one specification.
    public static let webhookFields = 500
    /// Webhooks: notifications sent at once by one process.
    public static let webhookPingsAtOnce = 16
    /// Webhooks: attempts at a notification before its webhook's notifications are turned off: by the waits between
    /// them, about half a day.
    public static let webhookAttempts = 16
    /// Webhooks: how long the receiver of a notification may take; a good one answers before it works.
    public static let webhookPingTime = Duration.seconds(25)
}
