/// What Gemini's API is asked to do with a model.
enum GeminiMethod: String, Sendable, Hashable {
    case generateContent, streamGenerateContent, countTokens, embedContent, batchEmbedContents

    /// Path and query below the version. Without `alt=sse` a stream would be one JSON array, piece by piece.
    func path(_ model: GeminiModelName) -> String {
        "\(model.path):\(rawValue)" + (self == .streamGenerateContent ? "?alt=sse" : "")
    }
}
