import Domain

extension GeminiRequest {
    /// Finds what the API would refuse, before it is sent: the reasons here say more than its own, and cost nothing.
    ///
    /// - Throws: `historyAltered` for calls and responses that do not belong together; `invalidRequest`.
    func check() throws(GeminiError) {
        let contents = GeminiContent.merged(contents)
        guard let last = contents.last, last.role == .user else {
            throw Self.invalid("a conversation ends with what the user says or a tool answers")
        }
        try checkHistory(contents)
        try checkFunctions()
        try checkSettings()
    }

    private func checkHistory(_ contents: [GeminiContent]) throws(GeminiError) {
        var open: [(id: String?, name: String)] = []
        for content in contents {
            switch content.role {
            case .model:
                open = content.parts.compactMap(\.call)
            case .user:
                var answers: [(id: String?, name: String)] = []
                for case .functionResponse(let id, let name, _) in content.parts { answers.append((id, name)) }
                guard Self.fit(answers, open) else {
                    throw GeminiError(
                        .historyAltered,
                        "a turn asks for \(open.count) tools and \(answers.count) answers follow: each call needs its own"
                    )
                }
                open = []
            }
        }
    }

    /// As many answers as calls, each with the name and identifier of its own.
    private static func fit(_ answers: [(id: String?, name: String)], _ calls: [(id: String?, name: String)]) -> Bool {
        guard answers.count == calls.count else { return false }
        var rest = calls
        for answer in answers {
            guard let place = rest.firstIndex(where: { $0.name == answer.name && $0.id == answer.id }) else {
                return false
            }
            rest.remove(at: place)
        }
        return true
    }

    private func checkFunctions() throws(GeminiError) {
        var names: Set<String> = []
        for function in functions {
            guard Self.isFunctionName(function.name) else {
                throw Self.invalid("'\(function.name)' is no name of a function")
            }
            guard names.insert(function.name).inserted else {
                throw Self.invalid("two functions are named '\(function.name)'")
            }
        }
    }

    private func checkSettings() throws(GeminiError) {
        guard settings.stop.count <= GeminiGenerationSettings.stopSequencesMax else {
            throw Self.invalid("at most \(GeminiGenerationSettings.stopSequencesMax) stop sequences are taken")
        }
        if let temperature = settings.temperature, !(0...2).contains(temperature) {
            throw Self.invalid("the temperature is between 0 and 2")
        }
        if let topP = settings.topP, !(0...1).contains(topP) { throw Self.invalid("topP is between 0 and 1") }
        if let tokens = settings.outputTokensMax, !(1...Int(Int32.max)).contains(tokens) {
            throw Self.invalid("at least one token of output must be allowed")
        }
    }

    /// `[A-Za-z_][A-Za-z0-9_.:-]{0,127}`
    public static func isFunctionName(_ name: String) -> Bool {
        guard let first = name.utf8.first, name.utf8.count <= 128 else { return false }
        return isLetter(first) && name.utf8.allSatisfy { isLetter($0) || isOther($0) }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"): true
        default: false
        }
    }

    private static func isOther(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "-"): true
        default: false
        }
    }

    private static func invalid(_ message: String) -> GeminiError { GeminiError(.invalidRequest, message) }
}
