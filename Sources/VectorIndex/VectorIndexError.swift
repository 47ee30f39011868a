/// What went wrong in an index, as a closed code with both sides of every mismatch in the message.
///
/// VectorIndex depends on nothing of ours, so this mirrors the shape of the product's own failures
/// (code, message, hint, detail) without naming them.
public struct VectorIndexError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Code: String, Sendable, CaseIterable {
        /// The vector or query has another number of floats than the index.
        case dimensionMismatch
        /// The vector or query holds NaN, an infinity, or numbers too large to square.
        case notFinite
        /// A vector without direction can't be compared by cosine.
        case zeroVector
        /// A parameter is outside its range; the message names both.
        case invalidParameter
        /// Another writer holds the directory's lock.
        case locked
        /// There is no index in the directory.
        case notFound
        /// The index was made with another model; its vectors can't be compared with ours.
        case identityMismatch
        /// The index has another dimension, metric or link count than asked for.
        case parameterMismatch
        /// A file is damaged: checksum, size, link or order is wrong.
        case corrupt
        /// A file was written by a newer program, or on a machine of other byte order.
        case unsupportedVersion
        /// The operating system refused a read, write, lock or allocation.
        case inputOutput
        /// More vectors than a slot number can name.
        case full
        /// The writer was closed, or gave up after a failed write.
        case closed
    }

    public let code: Code
    /// Safe to show: holds sizes and names of parameters, never vectors.
    public let message: String
    /// What to do next; nil when the message says it all.
    public let hint: String?
    /// For the log only: paths, offsets, the system's own words.
    public let detail: String?

    public init(_ code: Code, _ message: String, hint: String? = nil, detail: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        self.detail = detail
    }

    public var description: String { hint.map { "\(message) (\($0))" } ?? message }

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}

extension VectorIndexError {
    static func dimensionMismatch(expected: Int, received: Int) -> Self {
        Self(.dimensionMismatch, "the index holds vectors of \(expected) dimensions, this one has \(received)")
    }

    static let notFinite = Self(
        .notFinite,
        "the vector holds a number that is not finite, or too large to be squared"
    )

    static let zeroVector = Self(
        .zeroVector,
        "a vector of length zero has no direction, so it can't be compared by cosine"
    )

    static func invalidParameter(_ name: String, _ range: String, received: some CustomStringConvertible) -> Self {
        Self(.invalidParameter, "\(name) must be \(range), not \(received)")
    }

    static func corrupt(_ what: String, _ detail: String? = nil) -> Self {
        Self(
            .corrupt,
            "the index is damaged: \(what)",
            hint: "remove the index's directory; it is built again from the records",
            detail: detail
        )
    }
}
