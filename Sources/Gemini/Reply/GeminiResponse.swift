import Domain

/// A reply, or one frame of a stream. Members and words that are not known here are passed over.
struct GeminiResponse: Sendable, Hashable {
    /// Of the first candidate; we never ask for more.
    var parts: [JSONObject] = []
    /// As written; nil in all frames but the last with content.
    var finishReason: String?
    var finishMessage: String?
    var continuationToken: String?
    /// Comes instead of candidates.
    var blockReason: String?
    /// `usageMetadata`; in a stream: up to here.
    var usage: JSONValue?
    var modelVersion: String?
    var modelStage: String?

    /// Nil when this is no object.
    init?(_ json: JSONValue) {
        guard json.objectValue != nil else { return nil }
        let candidates = json["candidates"]?.arrayValue ?? []
        let candidate = candidates.first { ($0["index"]?.wholeNumber ?? 0) == 0 }
        parts = candidate?["content"]?["parts"]?.arrayValue?.compactMap(\.objectValue) ?? []
        finishReason = Self.word(candidate?["finishReason"])
        finishMessage = candidate?["finishMessage"]?.stringValue
        continuationToken = candidate?["continuationToken"]?.stringValue.flatMap { $0.isEmpty ? nil : $0 }
        blockReason = Self.word(json["promptFeedback"]?["blockReason"])
        usage = json["usageMetadata"].flatMap { $0.objectValue == nil ? nil : $0 }
        modelVersion = json["modelVersion"]?.stringValue
        modelStage = json["modelStatus"]?["modelStage"]?.stringValue
    }

    /// A word of an enumeration; "unspecified" and 0, which say nothing, are nil. A number that is no word yet is
    /// given as its digits.
    private static func word(_ json: JSONValue?) -> String? {
        if let number = json?.intValue { return number == 0 ? nil : String(number) }
        guard let word = json?.stringValue, !word.isEmpty, !word.hasSuffix("_UNSPECIFIED") else { return nil }
        return word
    }
}
