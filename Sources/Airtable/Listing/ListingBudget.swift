import Domain
import Formula

/// The processor time that one list may take.
///
/// Formulas have a bound for each record, half a second at worst, which a hundred thousand records would multiply;
/// and regular expressions are bounded by nothing that can be counted. So the time of the thread is looked at.
struct ListingBudget {
    /// Records between two looks: each costs some 200 ns.
    private static let stride = 16

    private let nanoseconds: UInt64
    private let clock: () -> UInt64
    private let start: UInt64
    private var count = 0

    init(
        nanoseconds: UInt64 = Limits.listingNanoseconds,
        clock: @escaping () -> UInt64 = { ThreadTime.nanoseconds }
    ) {
        self.nanoseconds = nanoseconds
        self.clock = clock
        start = clock()
    }

    /// Called after each record that a filter was asked about.
    ///
    /// - Throws: `.invalidFilter` when the list has taken its time.
    mutating func spend() throws(AirtableError) {
        count += 1
        guard count % Self.stride == 0, clock() &- start > nanoseconds else { return }
        throw .invalidFilter(
            "It takes too much work over the records of this table.",
            hint: "narrow the records down by a plain comparison first, such as AND({Status}='Open', …), or use a "
                + "simpler pattern"
        )
    }
}
