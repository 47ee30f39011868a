import Testing

@testable import Search

@Suite("A question taken apart")
struct QuestionTests {
    @Test(
        "what asks, and what only describes",
        arguments: [
            ("Who discovered oxygen?", true), ("who discovered oxygen", true), ("is radon radioactive", true),
            ("how many moons are there", true), ("what is it made of", true), ("the gas in balloons", false),
            ("what bones and sea shells are made from", false), ("smoke alarm", false), ("balloons?", true),
        ]
    )
    func asking(_ text: String, _ expected: Bool) {
        #expect(Question(text).isAsking == expected)
    }

    @Test("names and numbers are what an answer has to mention")
    func entities() {
        #expect(Question("Who won the World Cup of 2018?").entities == ["world", "cup", "2018"])
        // The first word is written large anyway, and "I" names nobody.
        #expect(Question("Which metal do I need?").entities.isEmpty)
    }

    @Test(
        "the attribute that is asked for",
        arguments: [
            ("What is the boiling point of neon?", ["boiling", "point"]), ("Who is the client of Orchard?", ["client"]),
            ("What is Ada's salary?", ["salary"]), ("How many stickers will there be?", ["stickers"]),
            ("How many people live there?", []), ("what is inside a phone's cell", []), ("Why is it blue?", []),
        ]
    )
    func attribute(_ text: String, _ expected: [String]) {
        #expect(Question(text).attribute.map(\.folded) == expected)
    }

    @Test("the rest without a name keeps its order and spelling")
    func rest() {
        let question = Question("What is the boiling point of Neon-20?")
        #expect(question.text(without: ["neon"]) == "What is the boiling point of -20?")
        #expect(question.text(without: []) == question.text)
    }

    @Test(
        "sentences end where people end them",
        arguments: [
            ("One. Two! Three?", ["One.", "Two!", "Three?"]),
            ("By M.W. Travers in 1898. Inert.", ["By M.W. Travers in 1898.", "Inert."]),
            ("About 3.5 kg, e.g. of tin.", ["About 3.5 kg, e.g. of tin."]), ("A\n\n B ", ["A", "B"]), ("", []),
            (" \n", []),
        ]
    )
    func sentences(_ text: String, _ expected: [String]) {
        #expect(Sentences.ranges(of: text).map { AnswerCandidate.slice(text, $0) } == expected)
    }
}
