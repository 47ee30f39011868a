import Domain
import HTTPTypes
import Synchronization

/// The name of a request, in its answer, its log lines and its problem.
enum RequestIdentifier {
    static let header = HTTPField.Name("X-Request-Id")!

    /// What the client sent, when it is one plain word of 8 to 64 characters; otherwise the name of its trace, or a new
    /// one. A key that got into the wrong header is none: the word is logged.
    static func identifier(for headers: HTTPFields) -> String {
        let sent = headers[values: header]
        if sent.count == 1, isPlain(sent[0]) { return sent[0] }
        if sent.isEmpty, let trace = TraceParent(headers) { return trace.traceID }
        return made()
    }

    /// 20 letters and digits that no request of this process has had before, nor likely one of another. They tell requests
    /// apart and guard nothing, so they come from a counter, and no system call is made for them.
    private static func made() -> String {
        let number = counter.add(1, ordering: .relaxed).newValue
        let halves = [mixed(number &+ seeds.0), mixed(number &+ seeds.1)]
        return String(unsafeUninitializedCapacity: 20) { bytes in
            for (half, value) in halves.enumerated() {
                var value = value
                for place in 0..<10 {
                    bytes[half * 10 + place] = letters[Int(value % 36)]
                    value /= 36
                }
            }
            return 20
        }
    }

    /// Another number for each (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
    private static func mixed(_ number: UInt64) -> UInt64 {
        var value = number &* 0x9E37_79B9_7F4A_7C15
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    private static let counter = Atomic<UInt64>(0)
    private static let seeds = (UInt64.random(in: 0 ... .max), UInt64.random(in: 0 ... .max))

    private static func isPlain(_ text: String) -> Bool {
        (8...64).contains(text.utf8.count) && !text.lowercased().hasPrefix("pat_")
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    private static let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789".utf8)
}
