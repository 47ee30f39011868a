import Testing

@testable import Chat

@Suite("Which cell a statement is from")
struct SentenceFitTests {
    @Test(
        "the statement in front of a citation is the part of the sentence that no other citation has",
        arguments: [
            ("One thing. Another thing", "Another thing"), ("One thing. Another thing. ", "Another thing"),
            ("A is 3 [1] and B is 4", "and B is 4"), ("A is 3 [1]", "A is 3"), ("A is 3 [1][2] ", "A is 3"),
            ("Only 4.5 kg", "Only 4.5 kg"), ("line\nnext line", "next line"), ("", ""), ("[1]", ""),
            ("Done! [1] New", "New"),
        ]
    )
    func statement(_ answer: String, _ expected: String) {
        let statement = SentenceFit.lastStatement(of: answer)
        #expect(statement.drop { $0 == " " } == expected)
    }

    @Test("the sentence that shares most words is quoted, verbatim, and not too long")
    func quote() {
        let text = "It boils fast. The lid is of steel, v2.0.\nMade in Porto."
        #expect(SentenceFit("a steel lid").bestSentence(of: text, characters: 300) == "The lid is of steel, v2.0.")
        #expect(SentenceFit("from porto").bestSentence(of: text, characters: 300) == "Made in Porto.")
        #expect(SentenceFit("nothing of it").bestSentence(of: text, characters: 300) == "It boils fast.")
        #expect(SentenceFit("steel lid").bestSentence(of: text, characters: 10) == "The lid is")
        #expect(SentenceFit("x").bestSentence(of: "", characters: 10) == "")
    }

    @Test("numbers weigh more than words, and the commonest words nothing")
    func scores() {
        #expect(SentenceFit("it costs 30").score("30") > SentenceFit("it costs 30").score("costs"))
        #expect(SentenceFit("it is of the").score("it is of the") == 0)
        #expect(SentenceFit("two kettles").score("a kettle") == 1)
    }
}
