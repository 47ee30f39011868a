/// The system prompts that are part of the product, each a file with a version in its name.
///
/// A prompt that has been released is never edited: a change is a new file, so that the version stored with a run says
/// what that run was told.
public enum PromptLibrary {
    /// Answers from records, with citations.
    public static let grounded = Prompt(
        name: "grounded",
        version: 1,
        text: String(decoding: PackageResources.grounded_v1_txt, as: UTF8.self)
    )

    /// Every prompt that any stored run may name.
    public static let all: [Prompt] = [grounded]

    /// By its identifier, such as `grounded-v1`; nil when there is none.
    public static func prompt(_ id: String) -> Prompt? { all.first { $0.id == id } }
}

/// Instructions to a model. Trusted: no record text is ever put into one.
public struct Prompt: Sendable, Hashable {
    public let name: String
    public let version: Int
    public let text: String

    /// `grounded-v1`; stored with each run.
    public var id: String { "\(name)-v\(version)" }
}
