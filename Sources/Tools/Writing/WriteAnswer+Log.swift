import Domain

extension WriteAnswer {
    /// Tells the program what became of a change, where it wants to know: counts and numbers, and no text of records.
    ///
    /// What went as it should is for who asks for every detail: over HTTP each entry makes a stream of an answer.
    func log(by tool: String, to caller: any ToolCaller) async {
        guard repeated != true else { return }
        switch status {
        case .done:
            let counts = [created, updated, deleted].compactMap(\.self)
            var data: JSONObject = [:]
            data["transaction"] = transaction.map { .number(JSONNumber($0)) }
            if !counts.isEmpty { data["records"] = .number(JSONNumber(counts.reduce(0, +))) }
            if let made { data["made"] = .array(made.map { .string($0.id) }) }
            await caller.log(.debug, logger: tool, .object(data))
        case .declined: await caller.log(.info, logger: tool, ["declined": true])
        case .conflict:
            await caller.log(.notice, logger: tool, ["conflicts": .number(JSONNumber(conflicts?.count ?? 0))])
        case .proposed, .unchanged: break
        }
    }
}
