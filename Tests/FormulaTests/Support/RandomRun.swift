import Foundation
import TestSupport

/// How a random test is run, and run again: failures name the seed, `PYAIRTABLE_SEED` sets it.
enum RandomRun {
    private static let environment = ProcessInfo.processInfo.environment

    static let seed = environment["PYAIRTABLE_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 1...999_999_999)

    /// `PYAIRTABLE_LONG=1` chooses the long run.
    static func count(_ short: Int, long: Int) -> Int { environment["PYAIRTABLE_LONG"] == "1" ? long : short }
}

extension SeededGenerator {
    /// True once in `times`.
    mutating func once(in times: Int) -> Bool { number(0..<times) == 0 }

    mutating func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &self) }
}
