import Domain
import Outbound

extension GeminiClient {
    /// The most pages of models that are read: a hundred thousand models.
    private static let modelPagesMax = 100

    /// All models the key may use.
    public func models(call: GeminiCall = GeminiCall()) async throws -> [GeminiModelInfo] {
        var models: [GeminiModelInfo] = []
        var token: String?
        for _ in 0..<Self.modelPagesMax {
            let query = token.map { "&pageToken=\(Self.encoded($0))" } ?? ""
            let page = try await get("models?pageSize=1000" + query, nil, call)
            models += page["models"]?.arrayValue?.compactMap(GeminiModelInfo.init) ?? []
            let next = page["nextPageToken"]?.stringValue.flatMap { $0.isEmpty ? nil : $0 }
            guard let next, next != token else { break }
            token = next
        }
        return models
    }

    /// One model. Also says whether it exists for this version and key: `modelNotFound`.
    public func model(_ name: String, call: GeminiCall = GeminiCall()) async throws -> GeminiModelInfo {
        let name = try GeminiModelName(name)
        let json = try await get(name.path, name, call)
        guard let info = GeminiModelInfo(json) else { throw malformed("a model has no name", json.encoded()) }
        return info
    }

    /// The tokens that a request would be read as, system and functions included.
    public func countTokens(
        _ request: GeminiRequest,
        model: String,
        call: GeminiCall = GeminiCall()
    ) async throws -> Int {
        let name = try GeminiModelName(model)
        try request.check()
        // Either the contents alone or all of the request; then it must name the model again.
        var whole = request.json.objectValue ?? [:]
        whole.removeValue(forKey: "continuationToken")
        let isPlain = whole.keys == ["contents"]
        if !isPlain { whole = JSONObject([("model", .string(name.path))] + Array(whole)) }
        let body: JSONObject = isPlain ? whole : ["generateContentRequest": .object(whole)]
        let order = Order(
            path: GeminiMethod.countTokens.path(name),
            body: JSONValue.object(body).encoded(),
            deadlines: configuration.asking,
            model: name
        )
        return try await ask(order, call: call) { bytes in
            guard let count = try json(bytes, model: name)["totalTokens"]?.wholeNumber, count >= 0 else {
                throw malformed("a count has no total", bytes)
            }
            return min(count, Limits.reportedTokens)
        }
    }

    private func get(_ path: String, _ model: GeminiModelName?, _ call: GeminiCall) async throws -> JSONValue {
        let order = Order(method: .get, path: path, deadlines: configuration.asking, model: model)
        return try await ask(order, call: call) { try json($0, model: model) }
    }

    /// Percent-encoded for a query.
    private static func encoded(_ text: String) -> String {
        text.utf8.reduce(into: "") { encoded, byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                encoded.unicodeScalars.append(UnicodeScalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
    }
}
