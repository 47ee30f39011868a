public import Domain

/// Why a proposed change was not made. Nothing of it was.
public struct ProposalError: Failure, Equatable {
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// What it is about has changed since.
        case stale = "PROPOSAL_STALE"
        case expired = "PROPOSAL_EXPIRED"
        /// It was made for somebody else.
        case foreign = "PROPOSAL_OF_ANOTHER"
    }

    public let code: Code
    public let message: String
    public let hint: String?
    /// Those that changed, as far as it is known which.
    public let records: [RecordID]

    public var kind: FailureKind {
        switch code {
        case .stale, .expired: .conflict
        case .foreign: .forbidden
        }
    }

    static func stale(_ records: [RecordID]) -> Self {
        let shown = records.prefix(namedMax).map(\.description).joined(separator: ", ")
        let more = records.count > namedMax ? " and \(records.count - namedMax) more" : ""
        return Self(
            code: .stale,
            message: records.isEmpty
                ? "The change would no longer be the one that was proposed: what it is about has changed."
                : "Changed since the change was proposed: \(shown)\(more). Nothing was written.",
            hint: "look at it again, with dryRun",
            records: records
        )
    }

    static let expired = Self(
        code: .expired,
        message: "The proposed change is older than \(Limits.proposalSeconds / 60) minutes. Nothing was written.",
        hint: "have it proposed again",
        records: []
    )

    static let foreign = Self(
        code: .foreign,
        message: "This change was proposed to somebody else.",
        hint: "have it proposed to you",
        records: []
    )

    private static let namedMax = 10

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}
