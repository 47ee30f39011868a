import Access
import Domain
import TestSupport
import Testing

@testable import Search

/// Without a model meaning is but shared words, which is enough for what is not about meaning.
@Suite("Answers out of the records")
struct AnswerExtractorTests {
    /// Takes whatever is found.
    private static func extractor(_ world: SearchFixture) -> AnswerExtractor {
        var extractor = AnswerExtractor(search: world.search)
        var judge = AnswerJudge.standard
        judge.bias = 1_000
        extractor.judge = judge
        return extractor
    }

    @Test("quotes the sentence that answers, with its place", arguments: DatabaseKind.allCases)
    func quotes(_ kind: DatabaseKind) async throws {
        try await withSearch(kind) { world in
            let table = try await world.notes()
            let id = try await world.create(
                table,
                [
                    "Name": "Walrus", "Text": "It sleeps on ice. The tusks are made of ivory. It eats clams.",
                    "Tag": "sea",
                ]
            )[0]
            try await world.create(table, ["Name": "Tax", "Text": "It is due in April."])
            try await world.index()
            let answer = try await Self.extractor(world).answer(
                "tusks made of ivory",
                bases: nil,
                tables: nil,
                context: world.context
            )
            let quote = try #require(answer.quotes.first)
            #expect(answer.isFound && quote.recordID == id && quote.tableID == table.id && quote.baseID == table.base)
            #expect(quote.fieldID == table.field("Text")?.id && quote.quote == "The tusks are made of ivory.")
            #expect(answer.text.hasPrefix("Walrus · Text: The tusks are made of ivory. [\(id)/\(quote.fieldID)]"))
        }
    }

    @Test("without a record, and with none that is about it, it says so")
    func notFound() async throws {
        try await withSearch { world in
            let table = try await world.notes()
            let extractor = AnswerExtractor(search: world.search)
            let nothing = try await extractor.answer("Who?", bases: nil, tables: nil, context: world.context)
            #expect(nothing == .notFound)
            try await world.create(table, ["Name": "Walrus", "Text": "The tusks are made of ivory."])
            try await world.index()
            let other = try await extractor.answer(
                "Who won the cup in 2018?",
                bases: nil,
                tables: nil,
                context: world.context
            )
            #expect(!other.isFound && other.quotes.isEmpty && other.text.contains("not found in your records"))
        }
    }

    @Test("what may not be seen is neither quoted nor of influence")
    func hidden() async throws {
        try await withSearch { world in
            let open = try await world.notes(base: "Open")
            let secret = try await world.notes(base: "Secret")
            try await world.create(secret, ["Name": "Walrus", "Text": "The tusks are made of ivory."])
            let seen = try await world.create(open, ["Name": "Tusks", "Text": "A bar in town."])[0]
            try await world.index()
            let made = try await world.access.createKey(
                APIKeyDraft(name: "search", scopes: [.search], bases: [open.base]),
                context: world.context
            )
            let narrow = try await world.access.authenticate(
                bearer: made.text,
                timeout: .seconds(60),
                requestID: "x",
                logger: world.context.logger
            )
            let extractor = Self.extractor(world)
            let answer = try await extractor.answer("tusks of ivory", bases: nil, tables: nil, context: narrow)
            #expect(Set(answer.quotes.map(\.recordID)) == [seen])
            #expect(!answer.text.contains("ivory"))
            await #expect(throws: SearchError(.unknownBase, "")) {
                try await extractor.answer("tusks", bases: ["Secret"], tables: nil, context: narrow)
            }
        }
    }

    @Test("a veto stands whatever the sum says")
    func vetoes() {
        var judge = AnswerJudge.standard
        judge.bias = 1_000
        let good = AnswerEvidence(cosine: 0.9, coverage: 1, nearCoverage: 1, attribute: 1, isAsking: true)
        #expect(judge.accepts(good))
        for change in [
            { (evidence: inout AnswerEvidence) in evidence.cosine = 0.1 }, { $0.attribute = 0.1 },
            { $0.isMissingMoment = true }, { $0.isMissingValue = true }, { $0.isPersonal = true },
            { ($0.hasSubject, $0.missingSubject) = (true, 1) },
        ] as [(inout AnswerEvidence) -> Void] {
            var evidence = good
            change(&evidence)
            #expect(!judge.accepts(evidence))
        }
        var described = good
        (described.cosine, described.isAsking) = (0.1, false)
        #expect(judge.accepts(described))
    }

    @Test("closeness by another model than the fitted one is not believed: what is asked has to be there word for word")
    func otherModel() {
        let judge = AnswerJudge.wordForWord
        let good = AnswerEvidence(cosine: 0.01, coverage: 0.9, attribute: 1, isAsking: true)
        #expect(judge.accepts(good))
        for change in [
            { (evidence: inout AnswerEvidence) in (evidence.coverage, evidence.cosine) = (0.7, 0.99) },
            { $0.missingEntities = 0.5 }, { $0.attribute = 0.9 }, { $0.isMissingMoment = true },
        ] as [(inout AnswerEvidence) -> Void] {
            var evidence = good
            change(&evidence)
            #expect(!judge.accepts(evidence))
        }
    }

    @Test("a description needs less than a question")
    func thresholds() {
        var judge = AnswerJudge.standard
        (judge.isAsking, judge.bias) = (0, 0)
        let evidence = AnswerEvidence(cosine: 0.3, attribute: 0, margin: 0)
        judge.cosine = 0
        judge.attributeLeast = 0
        var asked = evidence
        asked.isAsking = true
        // An even chance lies between the two thresholds.
        #expect(judge.probability(evidence) == 0.5 && judge.accepts(evidence) && !judge.accepts(asked))
    }

    @Test(
        "tells of whom or what something is asked",
        arguments: [
            ("What is the boiling point of neon?", ["neon"]), ("Who is the mayor of Hamburg in Germany?", ["hamburg"]),
            ("What is Ada Brandt's salary?", ["brandt"]), ("How dense is osmium?", ["osmium"]),
            ("How many pages does Sunrise have?", ["sunris"]), ("How much does gold cost?", ["gold"]),
            ("Is radon radioactive?", ["radon"]), ("keeps swimming pools clean", []), ("Who?", []), ("", []),
        ]
    )
    func subject(_ text: String, _ stems: [String]) {
        #expect(Question(text).subject.map(\.stem) == stems)
    }

    @Test("knows times counted from now, and questions to whoever answers")
    func moments() {
        #expect(Question("Who is on duty next week?").moments.map(\.stem) == ["week"])
        #expect(Question("What is the price now?").moments.map(\.stem) == ["now"])
        #expect(Question("Who comes every week?").moments.isEmpty)
        #expect(Question("Do you like gold?").isPersonal && !Question("How do you melt gold?").isPersonal)
        #expect(Question("how to melt gold").isAsking && !Question("how gold melts").isAsking)
    }

    @Test("answers by the model that is live, not by the configured one")
    func liveModel() async throws {
        try await withModels { process in
            let table = try await process.world.notes()
            try await process.world.create(table, ["Name": "Walrus", "Text": "The tusks are made of ivory."])
            try await process.indexer.indexAll()
            let other = try process.other(configured: ModelsFixture.second)
            #expect(try await other.live() == ModelsFixture.first)
            let extractor = AnswerExtractor(search: other.search)
            let answer = try await extractor.answer("tusks of ivory", bases: nil, tables: nil, context: other.context)
            #expect(answer.quotes.first?.quote == "The tusks are made of ivory.")
        }
    }
}
