import Domain
import Foundation

/// An e-mail address as somebody gave it, and the key by which two spellings of one are the same.
public struct EmailAddress: Sendable, Hashable {
    /// As it was given: mail goes there.
    public let text: String
    /// For comparing: compatibility characters composed (NFKC), cases folded, the domain in ASCII.
    public let key: String

    /// - Throws: `AccessError` `invalid` for what is no address that mail could go to.
    public init(_ text: String) throws(AccessError) {
        guard let key = Self.key(of: text) else {
            throw AccessError(.invalid, "An e-mail address looks like name@example.com.")
        }
        self.text = text
        self.key = key
    }

    /// As it was stored.
    init(text: String, key: String) {
        self.text = text
        self.key = key
    }

    public static func == (left: Self, right: Self) -> Bool { left.key == right.key }

    public func hash(into hasher: inout Hasher) { hasher.combine(key) }

    /// What stands before the `@`.
    var localPart: Substring { text.prefix { $0 != "@" } }

    /// For the eye: what could look like another address is spelt out. The domain is shown in ASCII (`xn--…`), letters
    /// before the `@` that are not Latin as `\u{…}`, so that a Cyrillic `а` is never taken for an `a`.
    public var shown: String {
        let parts = text.split(separator: "@", maxSplits: 1)
        guard parts.count == 2 else { return text }
        let domain = parts[1].split(separator: ".", omittingEmptySubsequences: false)
            .map { Punycode.label($0.lowercased()[...]) ?? Self.escaped($0) }.joined(separator: ".")
        return "\(Self.escaped(parts[0]))@\(domain)"
    }

    private static func escaped(_ text: Substring) -> String {
        text.precomposedStringWithCanonicalMapping.unicodeScalars.map { scalar in
            // Up to Latin Extended-A: letters with marks that nobody takes for others.
            scalar.isASCII || (0xC0...0x17F).contains(scalar.value) && scalar.value != 0x131
                ? String(scalar) : "\\u{\(String(scalar.value, radix: 16))}"
        }.joined()
    }

    // MARK: Reading

    private static func key(of text: String) -> String? {
        guard text.utf8.count <= 254, text.unicodeScalars.allSatisfy(isUsable) else { return nil }
        let folded = folded(text)
        // A character that only becomes an `@`, a dot or a space when it is folded would make another address of it.
        let marks: (String) -> [Character] = { $0.filter { "@. ".contains($0) } }
        guard marks(folded) == marks(text) else { return nil }
        let parts = folded.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, isLocalPart(parts[0]), let domain = domain(parts[1]) else { return nil }
        return "\(parts[0])@\(domain)"
    }

    /// Nothing that a header could end at, that is invisible, or that changes the direction of text.
    private static func isUsable(_ scalar: Unicode.Scalar) -> Bool {
        let properties = scalar.properties
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            return false
        default:
            return !properties.isDefaultIgnorableCodePoint
        }
    }

    /// Letters, digits and the marks of RFC 5321 without quotes, dots between them.
    private static func isLocalPart(_ text: Substring) -> Bool {
        let atoms = text.split(separator: ".", omittingEmptySubsequences: false)
        return text.utf8.count <= 64
            && atoms.allSatisfy { atom in
                !atom.isEmpty
                    && atom.unicodeScalars.allSatisfy { scalar in
                        scalar.isASCII ? isAtomText(scalar) : true
                    }
            }
    }

    private static func isAtomText(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9": true
        default: "!#$%&'*+-/=?^_`{|}~".unicodeScalars.contains(scalar)
        }
    }

    /// In ASCII; nil for what cannot be a name of a host.
    private static func domain(_ text: Substring) -> String? {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.count >= 1, labels.count <= 127 else { return nil }
        var ascii: [String] = []
        for label in labels {
            let isClean = label.unicodeScalars.allSatisfy { scalar in
                switch scalar {
                case "a"..."z", "0"..."9", "-": true
                default: !scalar.isASCII && (scalar.properties.isAlphabetic || isMarkOrDigit(scalar))
                }
            }
            guard isClean, label.first != "-", label.last != "-", let encoded = Punycode.label(label),
                (1...63).contains(encoded.utf8.count)
            else { return nil }
            ascii.append(encoded)
        }
        let domain = ascii.joined(separator: ".")
        return domain.utf8.count <= 253 ? domain : nil
    }

    private static func isMarkOrDigit(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .decimalNumber: true
        default: false
        }
    }

    /// NFKC, cases folded, and NFKC again, since folding may undo composition.
    private static func folded(_ text: String) -> String {
        var folded = String.UnicodeScalarView()
        for scalar in text.precomposedStringWithCompatibilityMapping.unicodeScalars {
            // By way of upper case `ß` and `ss`, `ς` and `σ` meet; but the Turkish `ı` is no `i`.
            let upper = scalar == "\u{131}" ? String(scalar) : scalar.properties.uppercaseMapping
            for letter in upper.unicodeScalars {
                folded.append(contentsOf: letter.properties.lowercaseMapping.unicodeScalars)
            }
        }
        return String(folded).precomposedStringWithCompatibilityMapping
    }
}
