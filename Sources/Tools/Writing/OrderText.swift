import Domain

/// Finds names of tools in text, however they are hidden, in time that grows with the text.
///
/// Known are names spelled out, with letters of other alphabets that look alike, marks on letters, `-` for `_`, or characters
/// that do not show between them; turned round; moved by 13 letters; in base64, hexadecimal or decimal codes, with escapes of
/// URLs, HTML and programs; two of these in one another; and cut in two between values, records or answers. Not known are
/// names that are only meant: an order in words alone, in whatever language, is one that no list of names finds.
///
/// Most text holds nothing of all that, which one pass over it tells (`HiddenCodes.Signs`); only the rest is looked at twice.
struct OrderText: Sendable {
    /// The last bytes of what stood in each place.
    struct Ends: Sendable {
        fileprivate var texts: [String: [UInt8]] = [:]
    }

    private struct Name: Sendable {
        let letters: [UInt8]
        let underscore: Int
    }

    /// In lower case, with `_`; as they are, turned round, and both moved by 13. By the letter after the underscore.
    private let names: [[Name]]
    private let lengthMax: Int

    init(names: [String]) {
        let plain = names.map { Array($0.utf8) }
        let all = plain + plain.map { $0.reversed() }
        var byNext = [[Name]](repeating: [], count: 256)
        for letters in all + all.map({ $0.map(Self.moved) }) {
            guard let underscore = letters.firstIndex(of: UInt8(ascii: "_")), underscore + 1 < letters.count else {
                continue
            }
            byNext[Int(letters[underscore + 1])].append(Name(letters: letters, underscore: underscore))
        }
        self.names = byNext
        lengthMax = plain.map(\.count).max() ?? 0
    }

    /// Whether an order stands in it.
    ///
    /// - Parameter ends: of what was shown before; of this afterwards.
    func isOrder(_ shown: JSONValue, after ends: inout Ends) -> Bool {
        // What belongs together may stand in the same member of many objects, or in one value after another.
        var joined = Joined(ends.texts)
        var found = false
        func visit(_ value: JSONValue, _ place: Int) {
            switch value {
            case .string(let text):
                let bytes = PlainText.bytes(of: text)
                if !found { found = isNamed(in: bytes, depth: 0) }
                guard !found, !PlainText.isIdentifier(bytes) else { return }
                joined.append(bytes, at: Joined.everywhere)
                if place != Joined.everywhere { joined.append(bytes, at: place) }
            case .array(let elements): for element in elements where !found { visit(element, place) }
            case .object(let members):
                for (key, value) in members where !found {
                    found = isNamed(in: PlainText.bytes(of: key), depth: 0)
                    visit(value, joined.place(key))
                }
            case .null, .bool, .number: break
            }
        }
        visit(shown, Joined.everywhere)
        if !found { found = joined.texts.contains { $0.pieces > 1 && isNamed(in: $0.bytes, depth: 0) } }
        ends.texts = joined.ends(lengthMax)
        return found
    }

    /// What stands in the same place of many values, put together.
    private struct Joined {
        struct Text {
            let place: String
            var bytes: [UInt8]
            /// What stands alone was looked at by itself.
            var pieces: Int
        }

        private(set) var texts: [Text]
        private var places: [String: Int] = [:]

        /// Where every value stands, one after another.
        static let everywhere = 0
        private static let endsMax = 64

        init(_ ends: [String: [UInt8]]) {
            texts = [Text(place: "", bytes: ends[""] ?? [], pieces: ends[""] == nil ? 0 : 1)]
            places[""] = Self.everywhere
            for (place, bytes) in ends where !place.isEmpty {
                places[place] = texts.count
                texts.append(Text(place: place, bytes: bytes, pieces: 1))
            }
        }

        mutating func place(_ name: String) -> Int {
            if let place = places[name] { return place }
            places[name] = texts.count
            texts.append(Text(place: name, bytes: [], pieces: 0))
            return texts.count - 1
        }

        mutating func append(_ bytes: [UInt8], at place: Int) {
            texts[place].bytes += bytes
            texts[place].pieces += 1
        }

        func ends(_ length: Int) -> [String: [UInt8]] {
            var ends: [String: [UInt8]] = [:]
            for text in texts.filter({ $0.pieces > 0 }).prefix(Self.endsMax + 1) {
                ends[text.place] = Array(text.bytes.suffix(length))
            }
            return ends
        }
    }

    // MARK: Names

    private func isNamed(in bytes: [UInt8], depth: Int) -> Bool {
        let signs = HiddenCodes.Signs(of: bytes)
        if signs.underscores, isSpelled(in: bytes) { return true }
        guard depth < Self.depthMax, signs.hasCodes else { return false }
        return HiddenCodes.contains(in: bytes, signs) { isNamed(in: $0, depth: depth + 1) }
    }

    /// Disguises in one another.
    private static let depthMax = 2

    private func isSpelled(in bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBufferPointer { bytes in
            guard bytes.count > 1 else { return false }
            for place in 0..<bytes.count - 1
            where bytes[place] == UInt8(ascii: "_") || bytes[place] == UInt8(ascii: "-") {
                for name in names[Int(PlainText.lowered(bytes[place + 1]))]
                where Self.stands(name, at: place, in: bytes) {
                    return true
                }
            }
            return false
        }
    }

    /// Whether a name whose underscore is at `place` stands there.
    private static func stands(_ name: Name, at place: Int, in bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        let start = place - name.underscore
        guard start >= 0, start + name.letters.count <= bytes.count else { return false }
        return name.letters.withUnsafeBufferPointer { letters in
            for index in letters.indices
            where index != name.underscore && PlainText.lowered(bytes[start + index]) != letters[index] {
                return false
            }
            return true
        }
    }

    private static func moved(_ byte: UInt8) -> UInt8 {
        (0x61...0x7A).contains(byte) ? (byte - 0x61 + 13) % 26 + 0x61 : byte
    }
}
