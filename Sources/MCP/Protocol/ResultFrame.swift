import Domain

/// What a revision wants in every result, whatever it is about.
struct ResultFrame {
    let revision: ProtocolRevision
    let info: ServerInfo

    /// How long a client may keep a result, in milliseconds. All of it is for the caller alone, since it shows what they may see.
    enum Lifetime: Int {
        case discovery = 3_600_000
        /// Clients that want to know at once are told of changes.
        case list = 60_000
        case none = 0
    }

    func complete(_ result: JSONObject) -> JSONValue { framed(result, type: "complete") }

    func cacheable(_ result: JSONObject, _ lifetime: Lifetime) -> JSONValue {
        guard !revision.hasHandshake else { return .object(result) }
        var result = result
        result["ttlMs"] = .number(JSONNumber(lifetime.rawValue))
        result["cacheScope"] = "private"
        return framed(result, type: "complete")
    }

    func inputRequired(_ questions: [CallerQuestion], state: String) -> JSONValue {
        let shape = Shape(revision: revision)
        let requests = questions.map { question -> JSONObject.Member in
            var request: JSONObject = ["method": .string(shape.method(of: question))]
            let params = shape.params(of: question)
            // A list of roots is asked for without parameters.
            if !params.isEmpty { request["params"] = .object(params) }
            return (question.key, .object(request))
        }
        return framed(
            ["inputRequests": .object(JSONObject(requests)), "requestState": .string(state)],
            type: "input_required"
        )
    }

    /// The end of a subscription.
    func listened(_ id: MessageID) -> JSONValue {
        framed([:], type: "complete", meta: [MetaKey.subscription: id.json])
    }

    private func framed(_ result: JSONObject, type: String, meta: JSONObject = [:]) -> JSONValue {
        guard !revision.hasHandshake else { return .object(result) }
        var members: JSONObject = ["resultType": .string(type)]
        for (key, value) in result { members[key] = value }
        var meta = meta
        meta[MetaKey.serverInfo] = info.implementation(for: revision)
        members["_meta"] = .object(meta)
        return .object(members)
    }
}
