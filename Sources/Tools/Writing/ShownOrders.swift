import Domain
import Foundation
import Synchronization

/// Who was shown text that names a tool by which something is written, and when.
///
/// Small changes that overwrite nothing need nobody's word. A record that tells a model to make them would have its way then; so
/// whoever was shown such a record is asked about those too, for an hour. That is a second line: it knows names that are spelled
/// out, hidden between invisible characters, turned round, in base64 or cut in two, and no other disguise. What overwrites, deletes
/// or is large is asked about whatever was read.
final class ShownOrders: Sendable {
    private struct Key: Hashable {
        let tenant: TenantID
        let user: UserID
        let key: KeyID?

        init(_ context: RequestContext) {
            tenant = context.tenant
            user = context.principal.user
            key = context.principal.key
        }
    }

    /// Of tools that may write without being asked about.
    private let names: [[UInt8]]
    private let now: InstantSource
    private let shown = Mutex<[Key: Instant]>([:])

    init(names: [String], now: @escaping InstantSource) {
        self.names = names.map { Array($0.utf8) }
        self.now = now
    }

    /// Takes note of what a reading tool answered.
    func look(at result: ToolResult, for context: RequestContext) {
        guard let structured = result.structured, names(in: Self.texts(of: structured)) else { return }
        let now = now()
        shown.withLock { shown in
            if shown.count >= Limits.shownOrders { shown = shown.filter { now < Self.end($0.value) } }
            // When all are recent, the callers of this moment go before older ones.
            if shown.count >= Limits.shownOrders, let oldest = shown.min(by: { $0.value < $1.value }) {
                shown[oldest.key] = nil
            }
            shown[Key(context)] = now
        }
    }

    func wasShown(to context: RequestContext) -> Bool {
        let now = now()
        return shown.withLock { shown in shown[Key(context)].map { now < Self.end($0) } ?? false }
    }

    private static func end(_ shown: Instant) -> Instant {
        Instant(microseconds: shown.microseconds + Limits.shownOrderSeconds * 1_000_000)
    }

    // MARK: Reading

    private static func texts(of value: JSONValue) -> [String] {
        switch value {
        case .string(let text): [text]
        case .array(let elements): elements.flatMap(texts)
        case .object(let members): members.flatMap { [$0.key] + texts(of: $0.value) }
        case .null, .bool, .number: []
        }
    }

    private func names(in texts: [String]) -> Bool {
        var joined: [UInt8] = []
        for text in texts {
            let bytes = Self.plain(text)
            if isNamed(in: bytes) || isNamed(inEncoded: bytes) { return true }
            joined += Self.lowered(bytes)
        }
        // Cut in two, over values or records.
        return isNamed(in: joined)
    }

    /// Without what does not show; letters as they are, for base64 tells them apart.
    private static func plain(_ text: String) -> [UInt8] {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return Array(text.utf8) }
        let shown = text.unicodeScalars.filter { !HiddenText.isHidden($0) }
        // Wide and styled letters are read as plain ones.
        return Array(String(String.UnicodeScalarView(shown)).precomposedStringWithCompatibilityMapping.utf8)
    }

    private static func lowered(_ bytes: [UInt8]) -> [UInt8] {
        bytes.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
    }

    private func isNamed(in bytes: [UInt8]) -> Bool {
        let bytes = Self.lowered(bytes)
        return bytes.withUnsafeBufferPointer { bytes in
            for place in bytes.indices where bytes[place] == UInt8(ascii: "_") {
                for name in names where Self.stands(name, around: place, in: bytes) { return true }
            }
            return false
        }
    }

    /// Whether a name whose underscore is at `place` stands there, from either side.
    private static func stands(_ name: [UInt8], around place: Int, in bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let underscore = name.firstIndex(of: UInt8(ascii: "_")) else { return false }
        func matches(_ name: [UInt8], _ underscore: Int) -> Bool {
            let start = place - underscore
            guard start >= 0, start + name.count <= bytes.count else { return false }
            return name.indices.allSatisfy { bytes[start + $0] == name[$0] }
        }
        return matches(name, underscore) || matches(name.reversed(), name.count - 1 - underscore)
    }

    /// In runs of base64.
    private func isNamed(inEncoded bytes: [UInt8]) -> Bool {
        func isDigit(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "-"),
                UInt8(ascii: "_"):
                true
            default: false
            }
        }
        for run in bytes.split(whereSeparator: { !isDigit($0) }) where run.count >= Self.encodedMin {
            if isNamed(in: Self.decoded(run)) { return true }
        }
        return false
    }

    /// Shorter runs hold no call.
    private static let encodedMin = 20

    private static func decoded(_ digits: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(digits.count * 3 / 4)
        var (bits, count): (UInt32, Int) = (0, 0)
        for digit in digits {
            let value: UInt8
            switch digit {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = digit - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = digit - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0") + 52
            case UInt8(ascii: "+"), UInt8(ascii: "-"): value = 62
            default: value = 63
            }
            bits = bits << 6 | UInt32(value)
            count += 6
            guard count >= 8 else { continue }
            count -= 8
            result.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
        }
        return result
    }
}
