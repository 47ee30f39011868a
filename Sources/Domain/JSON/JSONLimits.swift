/// How much of a document the reader takes before it refuses.
public struct JSONLimits: Sendable, Hashable {
    /// Of the whole document. At most 2 GiB − 1.
    public var bytes: Int
    /// Arrays and objects inside one another; a lone scalar has depth 0. At most 256, because values of that
    /// depth are compared and released recursively.
    public var depth: Int
    /// Values and keys together. At most 2²⁷.
    public var elements: Int
    /// Of one string or key as written, without its quotes.
    public var stringBytes: Int
    /// Of one number as written.
    public var numberBytes: Int

    /// Bounds above those stated at the members are lowered to them.
    public init(
        bytes: Int = Limits.jsonBytes,
        depth: Int = Limits.jsonDepth,
        elements: Int = Limits.jsonElements,
        stringBytes: Int = Limits.jsonStringBytes,
        numberBytes: Int = Limits.jsonNumberBytes
    ) {
        self.bytes = min(bytes, Int(Int32.max))
        self.depth = min(depth, 256)
        self.elements = min(elements, 1 << 27)
        self.stringBytes = stringBytes
        self.numberBytes = numberBytes
    }

    /// For what comes from outside: the bounds in `Limits`.
    public static let standard = JSONLimits()

    /// For what this program wrote itself: only what the reader's own structures bound.
    package static let trusted = JSONLimits(bytes: .max, depth: .max, elements: .max, stringBytes: .max)
}
