import Domain
import Foundation
import Synchronization

/// A time zone by its IANA name, for reading and showing moments.
///
/// Looking one up reads files, so those seen are kept; names come from field options and requests, so only so many.
struct CellZone: Sendable {
    private let zone: TimeZone

    private static let known = Mutex<[String: CellZone]>([:])
    private static let knownMax = 1_024

    /// Nil for UTC, for `client`, and for what is no zone.
    static func named(_ name: String) -> CellZone? {
        if isPlain(name) { return nil }
        if let zone = known.withLock({ $0[name] }) { return zone }
        guard let zone = TimeZone(identifier: name) else { return nil }
        let made = CellZone(zone: zone)
        known.withLock { known in if known.count < knownMax { known[name] = made } }
        return made
    }

    /// Whether a field or a request may name it.
    static func exists(_ name: String) -> Bool { isPlain(name) || named(name) != nil }

    private static func isPlain(_ name: String) -> Bool {
        let name = name.lowercased()
        return name == "utc" || name == "client" || name == "gmt"
    }

    /// The same reading of a clock in UTC, for taking days and hours from.
    func local(_ instant: Instant) -> Instant {
        Instant(microseconds: instant.microseconds + Int64(offset(at: instant)) * 1_000_000)
    }

    /// The moment when clocks in this zone show what clocks in UTC show at `local`. Of an hour that comes twice the
    /// first; of one that is left out, as if it had not been.
    func instant(local: Instant) -> Instant {
        let day: Int64 = 86_400_000_000
        let before = offset(at: Instant(microseconds: local.microseconds - day))
        let after = offset(at: Instant(microseconds: local.microseconds + day))
        func moment(_ offset: Int) -> Instant {
            Instant(microseconds: local.microseconds - Int64(offset) * 1_000_000)
        }
        let (early, late) = (moment(max(before, after)), moment(min(before, after)))
        if self.local(early) == local { return early }
        return self.local(late) == local ? late : moment(before)
    }

    private func offset(at instant: Instant) -> Int {
        zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(instant.microseconds) / 1_000_000))
    }
}

extension CellText {
    /// Whether an ISO time says its zone: `Z`, or an offset behind the clock.
    static func namesZone(_ text: String) -> Bool {
        let text = text.trimmingSpace()
        guard let last = text.utf8.last else { return false }
        if last | 0x20 == UInt8(ascii: "z") { return true }
        guard let clock = text.firstIndex(of: ":") else { return false }
        return text[clock...].contains { $0 == "+" || $0 == "-" || $0 == "\u{2212}" }
    }
}
