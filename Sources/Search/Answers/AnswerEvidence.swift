/// What speaks for a record answering a question, in numbers that mean the same for any base.
struct AnswerEvidence: Sendable, Hashable {
    /// The cosine of question and nearest unit.
    var cosine = 0.0
    /// How much of what is asked, by the rarity of its words, the record or its table says word for word, 0 to 1. The
    /// record's own name does not count: it says whom the question is about.
    var coverage = 0.0
    /// The same, where a word near in meaning counts in part.
    var nearCoverage = 0.0
    /// How much of the question's names and numbers the record does not mention, 0 to 1.
    var missingEntities = 0.0
    /// The cosine of the rest of the question, without the record's name, and the name of its nearest field.
    var fieldCosine = 0.0
    /// How much of the asked attribute the record or its table has, 0 to 1; nil when none is asked by name.
    var attribute: Double?
    /// Whether it is said of whom or what it is asked, and how much of these words the record does not have, 0 to 1.
    var hasSubject = false
    var missingSubject = 0.0
    /// How far the cosine is above that of other records: little where all are about as near, as when none answers.
    var margin = AnswerEvidence.marginDefault
    /// Whether it is a question, not just a description of what to look for.
    var isAsking = false
    /// Whether it asks about a time counted from now, which the record does not mention.
    var isMissingMoment = false
    /// Whether it asks the one who is to answer.
    var isPersonal = false
    /// Whether it asks for a number, or a time, and no piece of the record has any.
    var isMissingValue = false

    /// What `margin` counts where there are too few records to tell.
    static let marginDefault = 0.15
}

/// Decides from evidence whether the records answer, as a logistic regression does.
///
/// The weights are fitted to questions of `Tests/AppTests/Answers/questions.json`, all but those marked `fresh`, and to the
/// demo's forty; what they do on the fresh ones is in docs/search.md. The vetoes stand for what a sum cannot say.
struct AnswerJudge: Sendable, Hashable {
    var bias = -4.68
    var cosine = 4.43
    var coverage = 1.43
    var nearCoverage = 3.0
    var missingEntities = -1.55
    var fieldCosine = 3.07
    var attribute = 1.52
    var hasSubject = -1.7
    var missingSubject = -0.92
    var margin = 3.27
    var isAsking = -2.07
    /// What `attribute` counts when a question names none.
    var attributeDefault = 0.7
    /// An answer to a question needs at least this probability.
    var threshold = 0.6
    /// What fits a description needs less: it is found, not claimed to be so.
    var thresholdDescribed = 0.43
    /// A question whose nearest text is farther than this is about something else, whatever words they share.
    var cosineLeast = 0.28
    /// An attribute of which less than this is there is not there.
    var attributeLeast = 0.35

    /// The model whose cosines the weights and thresholds belong to.
    static let fittedModel = "all-MiniLM-L6-v2"

    static let standard = AnswerJudge()

    /// For any other model, whose cosines mean something else: four fifths of what is asked have to be there word for
    /// word, every name and number, and the whole attribute.
    static let wordForWord = AnswerJudge(
        bias: -80,
        cosine: 0,
        coverage: 100,
        nearCoverage: 0,
        missingEntities: -100,
        fieldCosine: 0,
        attribute: 0,
        hasSubject: 0,
        missingSubject: 0,
        margin: 0,
        isAsking: 0,
        threshold: 0.5,
        thresholdDescribed: 0.5,
        cosineLeast: -1,
        attributeLeast: 0.99
    )

    /// The probability that the record answers.
    func probability(_ evidence: AnswerEvidence) -> Double {
        var sum =
            bias + cosine * evidence.cosine + coverage * evidence.coverage + nearCoverage * evidence.nearCoverage
            + missingEntities * evidence.missingEntities + fieldCosine * evidence.fieldCosine
            + attribute * (evidence.attribute ?? attributeDefault) + margin * evidence.margin
        if evidence.hasSubject { sum += hasSubject + missingSubject * evidence.missingSubject }
        if evidence.isAsking { sum += isAsking }
        return 1 / (1 + exponential(-sum))
    }

    func accepts(_ evidence: AnswerEvidence) -> Bool {
        if evidence.isAsking, evidence.cosine < cosineLeast { return false }
        if let attribute = evidence.attribute, attribute < attributeLeast { return false }
        // Of what it says nothing of, it cannot tell anything either.
        if evidence.hasSubject, evidence.missingSubject >= 1 { return false }
        if evidence.isMissingMoment || evidence.isMissingValue || evidence.isPersonal { return false }
        return probability(evidence) >= (evidence.isAsking ? threshold : thresholdDescribed)
    }
}
