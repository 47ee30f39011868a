public import Domain

/// Something new of a turn while it is written.
public enum GeminiPiece: Sendable, Hashable {
    case text(String)
    case thought(String)
    /// The turn began again; the thoughts given so far are void. Text is never void: after text nothing is retried.
    case restarted
}

/// A finished turn, over all its requests.
public struct GeminiTurn: Sendable, Hashable {
    /// As they came, empty ones and signatures included, in order.
    public var parts: [JSONObject]
    public var finish: GeminiFinish
    /// For the log.
    public var finishMessage: String?
    /// Of every attempt and hop that was billed.
    public var usage: GeminiUsage
    public var modelVersion: String?
    /// Such as `DEPRECATED`.
    public var modelStage: String?

    /// The answer: all text that is no thought.
    public var text: String {
        parts.reduce(into: "") { text, part in
            let view = GeminiPartView(part)
            if !view.isThought, let piece = view.text { text += piece }
        }
    }

    public var calls: [GeminiPartView.Call] { parts.compactMap { GeminiPartView($0).call } }
}
