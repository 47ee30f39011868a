package import Domain

/// Which records of a table exist for somebody: the conditions of their grants, as text.
///
/// `Airtable` compiles the formulas, with the functions that only rules have (`CURRENT_USER()` and its like). A formula that
/// does not compile, or fails for a record, counts against the reader: as an allowance it lets nothing through, as a
/// refusal it refuses.
public struct RecordRule: Sendable, Hashable {
    /// Whether every record is allowed that nothing refuses.
    package var allowsAll: Bool
    /// Allowed one by one.
    package var allowed: Set<RecordID>
    /// Allowed where any of these is true.
    package var allowing: [String]
    /// Refused one by one, whatever allows them.
    package var refused: Set<RecordID>
    /// Refused where any of these is true.
    package var refusing: [String]
    /// Of whom the formulas speak.
    package var reader: Reader

    /// Whom `CURRENT_USER()` and its like mean.
    public struct Reader: Sendable, Hashable {
        package var user: UserID
        package var name: String
        package var email: String?
        /// Names of the groups they are in, in the order of the names.
        package var groups: [String]

        package init(user: UserID, name: String, email: String? = nil, groups: [String] = []) {
            self.user = user
            self.name = name
            self.email = email
            self.groups = groups
        }
    }

    package init(
        allowsAll: Bool = false,
        allowed: Set<RecordID> = [],
        allowing: [String] = [],
        refused: Set<RecordID> = [],
        refusing: [String] = [],
        reader: Reader
    ) {
        self.allowsAll = allowsAll
        self.allowed = allowed
        self.allowing = allowing
        self.refused = refused
        self.refusing = refusing
        self.reader = reader
    }
}
