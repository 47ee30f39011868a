import Domain
import Foundation

/// Time zones by their IANA names.
///
/// Foundation brings the zone data along, so that nothing hangs on the machine's; a zone once asked for is kept.
enum Zones {
    /// Seconds east of UTC at that instant; nil when there is no such zone. A nil name is UTC.
    static func offsetSeconds(_ name: String?, at instant: Instant) -> Int? {
        guard let name, name != "UTC" else { return 0 }
        return zone(name)?.secondsFromGMT(for: Date(instant))
    }

    /// What the clock there is called at that instant, such as `EST` or, where English has no letters for it, `GMT+1`.
    static func abbreviation(_ name: String?, at instant: Instant) -> String {
        guard let name, let zone = zone(name), name != "UTC" else { return "UTC" }
        return zone.abbreviation(for: Date(instant)) ?? ""
    }

    static func exists(_ name: String) -> Bool { name == "UTC" || zone(name) != nil }

    private static let cache = BoundedCache<String, TimeZone?>(capacity: Limits.formulaZones)

    private static func zone(_ name: String) -> TimeZone? {
        // The longest name there is has 32 letters; a long text is not worth remembering.
        guard name.utf8.count <= 64 else { return nil }
        return cache.value(name) { name in
            TimeZone(identifier: name) ?? canonicalNames[name.lowercased()].flatMap { TimeZone(identifier: $0) }
        }
    }

    /// The name by its lower-case form, since moment.js knows `europe/berlin` too.
    private static let canonicalNames: [String: String] = Dictionary(
        TimeZone.knownTimeZoneIdentifiers.map { ($0.lowercased(), $0) } + [("utc", "UTC"), ("gmt", "GMT")],
        uniquingKeysWith: { first, _ in first }
    )
}

extension Date {
    fileprivate init(_ instant: Instant) {
        self.init(timeIntervalSince1970: Double(instant.microseconds) / 1_000_000)
    }
}
