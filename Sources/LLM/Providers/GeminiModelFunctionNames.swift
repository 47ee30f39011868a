import Gemini

/// Tool names as Gemini takes them, and back.
///
/// A name that fits stays. Any other becomes one that fits, always the same: history written last week still names the
/// tools of today. Collisions are told apart by a hash of the name, and by number should even that not suffice.
struct GeminiFunctionNames: Sendable {
    private var there: [String: String] = [:]
    private var back: [String: String] = [:]

    /// - Parameter names: all tools on offer, then those that only history knows.
    init(_ names: some Sequence<String>) {
        var foreign: [String] = []
        for name in names where there[name] == nil {
            if GeminiRequest.isFunctionName(name) {
                add(name, name)
            } else {
                foreign.append(name)
            }
        }
        for name in foreign where there[name] == nil {
            var fitting = Self.fitting(name)
            var number = 2
            while back[fitting] != nil {
                fitting = Self.fitting(name, number: number)
                number += 1
            }
            add(name, fitting)
        }
    }

    /// For Gemini.
    func sent(_ name: String) -> String {
        there[name] ?? (GeminiRequest.isFunctionName(name) ? name : Self.fitting(name))
    }

    /// Of a call; a name that nobody offers stays as it is.
    func received(_ name: String) -> String { back[name] ?? name }

    private mutating func add(_ name: String, _ fitting: String) {
        there[name] = fitting
        back[fitting] = name
    }

    /// Readable, and with the name's hash, at most 128 bytes.
    private static func fitting(_ name: String, number: Int = 1) -> String {
        var readable = String(
            name.unicodeScalars.prefix(100).map { scalar in
                let character = Character(scalar)
                return GeminiRequest.isFunctionName("_\(character)") ? character : "_"
            }
        )
        if !GeminiRequest.isFunctionName(String(readable.prefix(1))) { readable = "_" + readable }
        return readable + "_" + hash(name) + (number == 1 ? "" : "_\(number)")
    }

    /// FNV-1a, 64 bits.
    private static func hash(_ text: String) -> String {
        let value = text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return String(value, radix: 36)
    }
}
