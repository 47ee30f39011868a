/// A model as addresses and batches name it: `models/gemini-x`, however it was written.
public struct GeminiModelName: Sendable, Hashable, CustomStringConvertible {
    /// With its collection, such as `models/gemini-x` or `tunedModels/mine`.
    public let path: String

    /// The name for people and settings: `models/` is left out.
    public var description: String { path.hasPrefix("models/") ? String(path.dropFirst(7)) : path }

    /// Takes `gemini-x`, `models/gemini-x` and `tunedModels/x`.
    ///
    /// - Throws: `GeminiError.invalidName` for anything that could change the address it becomes a part of.
    public init(_ name: String) throws(GeminiError) {
        let hasCollection = name.hasPrefix("models/") || name.hasPrefix("tunedModels/")
        let segments = name.split(separator: "/", omittingEmptySubsequences: false)
        let isSafe =
            name.utf8.count <= 256 && name.utf8.allSatisfy(Self.isAllowed)
            && segments.allSatisfy { !$0.isEmpty && !$0.allSatisfy { $0 == "." } }
        guard isSafe else {
            throw GeminiError(
                .invalidName,
                "this is no name of a Gemini model: letters, digits, '.', '_', '-' and single '/' make one",
                hint: "such as gemini-flash-latest"
            )
        }
        path = hasCollection ? name : "models/\(name)"
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"),
            UInt8(ascii: "/"):
            true
        default: false
        }
    }
}
