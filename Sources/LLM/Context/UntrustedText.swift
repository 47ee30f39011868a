import Domain

/// Puts text from records into a model's input as data: labelled, fenced, and with nothing hidden in it.
///
/// The fence has a random word that no record can know, so no record can close it. Nothing here makes a model immune to
/// what it reads: that a record cannot do harm rests on tools working with the asker's rights only. The fence lets the
/// system prompt say precisely which text is data.
public struct UntrustedText: Sendable, Hashable {
    /// Of one run; letters and digits.
    public let word: String

    public init(word: String) { self.word = word }

    public static func random(using generator: inout some RandomNumberGenerator) -> Self {
        let letters = Array("abcdefghjkmnpqrstuvwxyz23456789")
        return Self(word: String((0..<12).map { _ in letters.randomElement(using: &generator) ?? "x" }))
    }

    public static func random() -> Self {
        var generator = SystemRandomNumberGenerator()
        return random(using: &generator)
    }

    /// The text between its fences. `label` says whose it is, such as a record's id or a tool's name.
    public func framed(_ text: String, label: String) -> String {
        // The word can get into a record only after a model has seen it and written it there.
        let body = Self.visible(text).replacing(word, with: "…")
        let shownLabel = Self.visible(label).map { "<>\"\n".contains($0) ? "_" : String($0) }.joined()
        return "<data-\(word) of=\"\(shownLabel.replacing(word, with: "…"))\">\n\(body)\n</data-\(word)>"
    }

    /// The text with nothing hidden in it.
    public static func visible(_ text: String) -> String { HiddenText.visible(text) }
}
