public import Domain

/// How a response came about.
public struct SearchExplanation: WireType, Hashable {
    /// Milliseconds by phase. Words and the query's vector are worked on at the same time.
    public struct Timings: WireType, Hashable {
        /// Finding what may be searched, and the postings of the query's words.
        public var words = 0.0
        /// The query's vector, from the start of the search.
        public var vector = 0.0
        /// The nearest vectors.
        public var nearest = 0.0
        /// What each side lacks of the other's candidates.
        public var completing = 0.0
        public var ranking = 0.0
        /// Reading the hits back.
        public var reading = 0.0

        public init(
            words: Double = 0,
            vector: Double = 0,
            nearest: Double = 0,
            completing: Double = 0,
            ranking: Double = 0,
            reading: Double = 0
        ) {
            self.words = words
            self.vector = vector
            self.nearest = nearest
            self.completing = completing
            self.ranking = ranking
            self.reading = reading
        }

        private enum CodingKeys: String, CodingKey {
            case words = "wordsMs"
            case vector = "vectorMs"
            case nearest = "nearestMs"
            case completing = "completingMs"
            case ranking = "rankingMs"
            case reading = "readingMs"
        }

        public static var schema: JSONSchema {
            .object(
                properties: [
                    "wordsMs": .number(description: "What may be searched, and the query's words.", minimum: 0),
                    "vectorMs": .number(description: "The query's vector, beside the words.", minimum: 0),
                    "nearestMs": .number(description: "The nearest vectors.", minimum: 0),
                    "completingMs": .number(description: "What each side lacks of the other's.", minimum: 0),
                    "rankingMs": .number(minimum: 0),
                    "readingMs": .number(description: "Reading the hits back.", minimum: 0),
                ],
                required: ["wordsMs", "vectorMs", "nearestMs", "completingMs", "rankingMs", "readingMs"]
            )
        }
    }

    /// How the nearest vectors were found.
    public enum Plan: String, Sendable, Codable, CaseIterable {
        /// No vector was looked for.
        case none
        /// Every allowed vector was compared.
        case exact
        /// The graph was walked in one base at least.
        case graph
    }

    public var mode: SearchMode
    /// What was looked for by words: stems, without words that tell nothing.
    public var words: [String]
    /// Groups of fields searched, and their units.
    public var partitions: Int
    public var units: Int
    /// Units proposed by each side, and records they lead to.
    public var lexicalCandidates: Int
    public var semanticCandidates: Int
    public var records: Int
    public var plan: Plan
    /// Vectors compared to find the nearest.
    public var distances: Int
    public var timings: Timings

    public init(
        mode: SearchMode,
        words: [String],
        partitions: Int,
        units: Int,
        lexicalCandidates: Int,
        semanticCandidates: Int,
        records: Int,
        plan: Plan,
        distances: Int,
        timings: Timings
    ) {
        self.mode = mode
        self.words = words
        self.partitions = partitions
        self.units = units
        self.lexicalCandidates = lexicalCandidates
        self.semanticCandidates = semanticCandidates
        self.records = records
        self.plan = plan
        self.distances = distances
        self.timings = timings
    }

    public static var schema: JSONSchema {
        .object(
            properties: [
                "mode": .string(enum: SearchMode.allCases.map(\.rawValue)),
                "words": .array(of: .string(), description: "Stems looked for."),
                "partitions": .integer(description: "Groups of fields searched.", minimum: 0),
                "units": .integer(description: "Pieces of records in them.", minimum: 0),
                "lexicalCandidates": .integer(description: "Pieces that the words propose.", minimum: 0),
                "semanticCandidates": .integer(description: "Pieces that the meaning proposes.", minimum: 0),
                "records": .integer(description: "Records ranked.", minimum: 0),
                "plan": .string(
                    description: "How the nearest vectors were found.",
                    enum: Plan.allCases.map(\.rawValue)
                ),
                "distances": .integer(description: "Vectors compared for it.", minimum: 0),
                "timings": Timings.schema,
            ],
            required: [
                "mode", "words", "partitions", "units", "lexicalCandidates", "semanticCandidates", "records", "plan",
                "distances", "timings",
            ]
        )
    }
}

/// What each side of a search thinks of one hit.
public struct HitExplanation: WireType, Hashable {
    /// Its place by meaning among the records ranked, from 1; nil without a vector.
    public var semanticRank: Int?
    /// Of its nearest unit.
    public var cosine: Double?
    /// Its place by words, from 1; nil when it has none of them.
    public var lexicalRank: Int?
    /// Of its best unit.
    public var bm25: Double?

    public init(semanticRank: Int? = nil, cosine: Double? = nil, lexicalRank: Int? = nil, bm25: Double? = nil) {
        self.semanticRank = semanticRank
        self.cosine = cosine
        self.lexicalRank = lexicalRank
        self.bm25 = bm25
    }

    public static var schema: JSONSchema {
        .object(
            properties: [
                "semanticRank": .integer(description: "Place by meaning; absent without a vector.", minimum: 1),
                "cosine": .number(description: "Of its nearest piece.", minimum: -1.001, maximum: 1.001),
                "lexicalRank": .integer(description: "Place by words; absent when it has none.", minimum: 1),
                "bm25": .number(description: "Of its best piece.", minimum: 0),
            ]
        )
    }

    /// Of every record in `ranked`.
    ///
    /// - Parameter bestLexical: what `Fusion` divided the BM25 by.
    static func all(of ranked: [Fusion.Ranked], bestLexical: Float) -> [RecordID: HitExplanation] {
        var explanations: [RecordID: HitExplanation] = [:]
        let byMeaning = ranked.filter { $0.cosine != nil }.sorted { Self.order($0.cosine, $1.cosine, $0, $1) }
        for (position, entry) in byMeaning.enumerated() {
            explanations[entry.record, default: HitExplanation()].semanticRank = position + 1
            explanations[entry.record]?.cosine = entry.cosine.map { rounded(Double($0), to: 10_000) }
        }
        let byWords = ranked.filter { $0.lexical > 0 }.sorted { Self.order($0.lexical, $1.lexical, $0, $1) }
        for (position, entry) in byWords.enumerated() {
            explanations[entry.record, default: HitExplanation()].lexicalRank = position + 1
            explanations[entry.record]?.bm25 = rounded(Double(entry.lexical * bestLexical), to: 10_000)
        }
        return explanations
    }

    private static func order(
        _ left: Float?,
        _ right: Float?,
        _ first: Fusion.Ranked,
        _ second: Fusion.Ranked
    ) -> Bool {
        left != right ? (left ?? -1) > (right ?? -1) : first.record < second.record
    }
}

/// `value` to the nearest 1/`scale`, so that an answer shows no noise.
func rounded(_ value: Double, to scale: Double) -> Double { (value * scale).rounded() / scale }

/// Tells how long each phase took.
struct PhaseClock: Sendable {
    private let start: ContinuousClock.Instant
    private var last: ContinuousClock.Instant

    init() {
        start = .now
        last = start
    }

    /// Milliseconds since the lap before.
    mutating func lap() -> Double {
        let now = ContinuousClock.now
        defer { last = now }
        return Self.milliseconds(now - last)
    }

    /// Milliseconds since the beginning.
    var total: Double { Self.milliseconds(.now - start) }

    private static func milliseconds(_ duration: Duration) -> Double { rounded(duration / .milliseconds(1), to: 10) }
}
