import Domain
import Testing

@Suite("formula")
struct FormulaCommandTests {
    @Test("eval prints the value as a cell, at the moment that is given")
    func eval() async throws {
        let value = try await Binary.run(
            ["formula", "eval", #"IF({n}>10, {a}&"-"&YEAR(NOW()), "")"#, "--fields", #"{"n":12,"a":"x"}"#]
                + ["--now", "2019-03-05T00:00:00Z"]
        )
        #expect(value.output == "\"x-2019\"\n")
        #expect(value.status == 0)
        let typed = try await Binary.run(
            ["formula", "eval", "{d}", "--fields", #"{"d":"2024-05-01T00:00:00Z"}"#, "--types", #"{"d":"date"}"#]
        )
        #expect(typed.output == "\"2024-05-01\"\n")
    }

    @Test("eval tells where a formula is wrong, and what is no formula or no JSON is misuse")
    func refusals() async throws {
        let wrong = try await Binary.run(["formula", "eval", "1 + SUMM(2)"])
        #expect(wrong.status == 1)
        #expect(wrong.output.isEmpty)
        #expect(wrong.errors == "error: Unknown function SUMM. (at character 5)\nhint: did you mean SUM?\n")
        for arguments in [["1", "--fields", "["], ["1", "--types", #"{"a":"nubmer"}"#], ["1", "--now", "soon"], []] {
            #expect(try await Binary.run(["formula", "eval"] + arguments).status == 2, "\(arguments)")
        }
    }

    @Test("a batch answers each line, whatever the line holds")
    func batch() async throws {
        let tooLong = #"{"id":4,"formula":""# + String(repeating: "x", count: 5_000_000) + "\"}"
        let input = """
            {"id":1,"formula":"1+1"}
            nonsense

            {"id":3,"formula":"1+"}
            \(tooLong)
            {"id":5,"formula":"ERROR()"}
            {"id":6,"formula":"0/0"}
            """
        let result = try await Binary.run(["formula", "eval", "--batch"], input: input)
        let answers = try result.json()
        #expect(result.status == 0)
        #expect(answers.compactMap { $0["id"] } == [1, .null, 3, .null, 5, 6])
        #expect(answers[0]["value"] == 2)
        #expect(answers[1]["value"] == ["error": "INVALID"])
        #expect(answers[2]["position"] == 2)
        #expect(answers[3]["value"] == ["error": "INVALID"])
        #expect(answers[4]["value"] == ["error": "#ERROR!"])
        #expect(answers[5]["value"] == ["specialValue": "NaN"])
    }

    @Test("check explains, and ends with 1 when the formula is wrong")
    func check() async throws {
        let valid = try await Binary.run(["formula", "check", "SUM({a}, 1)", "--json"])
        #expect(valid.status == 0)
        #expect(try valid.json().first?["type"] == "number")
        let wrong = try await Binary.run(["formula", "check", "SUM({a}, 1))"])
        #expect(wrong.status == 1)
        #expect(wrong.output.contains("SUM({a}, 1))\n             ^\n"))
    }
}
