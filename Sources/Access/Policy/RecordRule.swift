package import Domain

/// Which records of a table exist for somebody: the conditions of their grants, as text.
///
/// `Airtable` compiles the formulas, with the functions that only rules have (`CURRENT_USER()` and its like). A formula that
/// does not compile, or fails for a record, counts against the reader: as an allowance it lets nothing through, as a
/// refusal it refuses.
public struct RecordRule: Sendable, Hashable {
    /// Each of them must let a record through; empty when every record is allowed that nothing refuses.
    ///
    /// More than one when several rights are needed at once, or when a key has limits of its own.
    package var allowances: [Allowance]
    /// Refused one by one, whatever allows them.
    package var refused: Set<RecordID>
    /// Refused where any of these is true.
    package var refusing: [String]
    /// Of whom the formulas speak.
    package var reader: Reader

    /// Lets a record through that is named, or for which any of the formulas is true.
    package struct Allowance: Sendable, Hashable {
        package var records: Set<RecordID>
        package var formulas: [String]

        package init(records: Set<RecordID> = [], formulas: [String] = []) {
            self.records = records
            self.formulas = formulas
        }
    }

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
        allowances: [Allowance] = [],
        refused: Set<RecordID> = [],
        refusing: [String] = [],
        reader: Reader
    ) {
        self.allowances = allowances
        self.refused = refused
        self.refusing = refusing
        self.reader = reader
    }

    /// Whether a record passes: the meaning of a rule, against which every faster way is tested.
    ///
    /// - Parameter holds: whether a formula is true for the record; nil when it does not compile or fails.
    package func passes(_ record: RecordID, holds: (String) -> Bool?) -> Bool {
        guard !refused.contains(record), refusing.allSatisfy({ holds($0) == false }) else { return false }
        return allowances.allSatisfy { allowance in
            allowance.records.contains(record) || allowance.formulas.contains { holds($0) == true }
        }
    }
}
