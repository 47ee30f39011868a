/// What a check of a tenant's store found.
public struct StoreReport: Sendable, Hashable {
    /// One sentence each, at most `problemsMax`; empty when the store is sound.
    public internal(set) var problems: [String] = []
    /// How many were found in all.
    public internal(set) var problemCount = 0
    public internal(set) var tables = 0
    public internal(set) var records = 0
    public internal(set) var links = 0
    public internal(set) var changes = 0

    public var isSound: Bool { problemCount == 0 }

    /// Enough to see a pattern.
    static let problemsMax = 100

    mutating func add(_ problem: String) {
        problemCount += 1
        if problems.count < Self.problemsMax { problems.append(problem) }
    }
}
