package import Domain
package import LLM

/// Answers without a language model: from the sentences and cells that answer, chosen by `Extracting`.
///
/// Made for one run, because what may be retrieved depends on who asks.
package struct ExtractiveModel: LanguageModel {
    package static let name = ModelName(provider: ModelName.extractive, model: "records")

    /// For the run's last event and the last line of every answer.
    package static let notice =
        "No language model is configured: these are passages of your records, chosen without one."
    /// For answers that say that there is none.
    package static let notFoundNotice = "No language model is configured: your records were searched without one."

    private let extractor: any Extracting
    private let question: String
    private let settings: ChatSettings
    private let evidence: Evidence
    private let context: RequestContext

    init(
        extractor: any Extracting,
        question: String,
        settings: ChatSettings,
        evidence: Evidence,
        context: RequestContext
    ) {
        self.extractor = extractor
        self.question = question
        self.settings = settings
        self.evidence = evidence
        self.context = context
    }

    package var name: ModelName { Self.name }
    package var limits: ModelLimits { ModelLimits(inputTokens: Limits.queryCharacters, outputTokens: .max) }

    package func respond(
        to request: ModelRequest,
        call: ModelCallContext,
        onDelta: @Sendable (ModelDelta) async throws -> Void
    ) async throws -> ModelReply {
        let extract = try await extractor.extract(
            String(String.UnicodeScalarView(question.unicodeScalars.prefix(Limits.queryCharacters))),
            bases: settings.bases,
            tables: settings.tables,
            context: context
        )
        for quote in extract.quotes {
            evidence.add(EvidencePlace(record: quote.record, table: quote.table))
            evidence.add(
                quote: quote.text,
                of: CitationReader.Reference(record: quote.record, field: quote.field)
            )
        }
        let notice = extract.isFound ? Self.notice : Self.notFoundNotice
        let text = "\(extract.text)\n\n\(notice)"
        try await onDelta(.text(text))
        return ModelReply(
            message: ModelMessage(.model, [.text(text)]),
            outcome: .complete,
            usage: TokenUsage()
        )
    }
}

/// Finds what in the records answers a question. `AnswerExtractor` does; tests have their own.
package protocol Extracting: Sendable {
    func extract(
        _ question: String,
        bases: [String]?,
        tables: [String]?,
        context: RequestContext
    ) async throws -> Extract
}

/// Passages that answer, or the word that there are none.
package struct Extract: Sendable, Hashable {
    package struct Quote: Sendable, Hashable {
        package var table: TableID
        package var record: RecordID
        package var field: FieldID
        /// Verbatim from the cell.
        package var text: String

        package init(table: TableID, record: RecordID, field: FieldID, text: String) {
            self.table = table
            self.record = record
            self.field = field
            self.text = text
        }
    }

    package var isFound: Bool
    /// With citations as `[recX/fldY]`.
    package var text: String
    package var quotes: [Quote]

    package init(isFound: Bool, text: String, quotes: [Quote]) {
        self.isFound = isFound
        self.text = text
        self.quotes = quotes
    }
}
