/// Models that accept each other's signatures and thinking settings, such as `gemini-3`.
public struct GeminiFamily: Sendable, Hashable, CustomStringConvertible {
    /// `gemini-2.5`, `gemini-3`, `gemini-4`, …; another model's own name.
    public let name: String
    /// Of a numbered Gemini; nil for others and for `-latest` names.
    public let major: Int?

    /// Of a model's name or version as a reply reports it; nil for names such as `gemini-flash-latest`, which say
    /// nothing about the family.
    public init?(model: String) {
        let model = model.split(separator: "/").last.map { $0.lowercased() } ?? ""
        guard model.hasPrefix("gemini-") else {
            guard !model.isEmpty else { return nil }
            self.init(name: model, major: nil)
            return
        }
        let version = model.dropFirst(7).prefix { $0 != "-" }
        guard let major = Int(version.prefix { $0 != "." }) else {
            if model.hasSuffix("-latest") { return nil }
            self.init(name: model, major: nil)
            return
        }
        // From 3 on a family is a generation; before, `2.0` and `2.5` differ.
        self.init(name: major >= 3 ? "gemini-\(major)" : "gemini-\(version)", major: major)
    }

    private init(name: String, major: Int?) {
        self.name = name
        self.major = major
    }

    /// What a `-latest` name is taken for until a reply says better.
    public static let newest = GeminiFamily(name: "gemini-3", major: 3)

    public var description: String { name }

    /// Function calls of the current turn must carry a signature.
    public var wantsSignatures: Bool { (major ?? 0) >= 3 }

    /// How the amount of thinking is said, if at all.
    public enum ThinkingSetting: Sendable, Hashable { case level, budget, none }

    public var thinkingSetting: ThinkingSetting {
        if (major ?? 0) >= 3 { return .level }
        return name == "gemini-2.5" ? .budget : .none
    }

    /// Whether an answer may be bound to a schema while functions are offered.
    public var takesSchemaWithFunctions: Bool { (major ?? 0) >= 3 }
}
