import Foundation
import Synchronization

/// How BERT's normalizer is set.
struct CharacterRules: Sendable, Hashable {
    /// Drop control characters, turn all white space into spaces.
    var cleans = true
    /// Make every CJK ideograph a word of its own.
    var splitsIdeographs = true
    /// Decompose (NFD) and drop non-spacing marks.
    var stripsAccents = true
    var lowercases = true
}

/// What one Unicode scalar becomes under some rules.
///
/// Packed in 32 bits: the kind in the upper 8, a scalar (or the place of several) in the lower 24.
struct CharacterClass: Sendable, Hashable {
    enum Kind: UInt8 {
        /// Part of a word, as the scalar given.
        case letter
        /// Ends a word.
        case space
        /// Nothing, as if it were not there.
        case dropped
        /// An accent: nothing, but it belongs to the letter before it.
        case mark
        /// A word of its own.
        case single
        /// Several scalars, each with its own class; see `CharacterTable.Page.sequences`.
        case sequence
        /// The same, and a word of its own.
        case singleSequence
    }

    let bits: UInt32

    init(_ kind: Kind, _ value: UInt32 = 0) { bits = UInt32(kind.rawValue) << 24 | value }

    var kind: Kind { Kind(rawValue: UInt8(truncatingIfNeeded: bits >> 24))! }
    var value: UInt32 { bits & 0xFF_FFFF }
}

/// The classes of all Unicode scalars under one set of rules, worked out a page of 256 at a time when needed.
///
/// The work is Unicode's: cleaning, decomposing, dropping marks, lower-casing, splitting. It follows the reference
/// tokenizer (Hugging Face `tokenizers`, BertNormalizer and BertPreTokenizer) scalar by scalar; the one thing it
/// leaves out is NFD's reordering of neighbouring marks, which could only concern marks that are kept: two
/// spacing marks in the wrong order, which no text in use has.
final class CharacterTable: Sendable {
    final class Page: Sendable {
        let classes: [CharacterClass]
        let sequences: [[CharacterClass]]

        init(_ classes: [CharacterClass], _ sequences: [[CharacterClass]]) {
            self.classes = classes
            self.sequences = sequences
        }
    }

    let rules: CharacterRules
    /// Of the scalars below 128.
    let ascii: [CharacterClass]
    private let pages = Mutex([Page?](repeating: nil, count: 0x1100))

    init(_ rules: CharacterRules) {
        self.rules = rules
        ascii = (0..<128).map { Self.classify(Unicode.Scalar(UInt8($0)), rules).first ?? CharacterClass(.dropped) }
    }

    /// The page that holds `scalar`.
    func page(of scalar: Unicode.Scalar) -> Page {
        let number = Int(scalar.value >> 8)
        if let page = pages.withLock({ $0[number] }) { return page }
        let page = makePage(number)
        // Two threads may have made the same page; either will do.
        pages.withLock { $0[number] = page }
        return page
    }

    private func makePage(_ number: Int) -> Page {
        var classes: [CharacterClass] = []
        var sequences: [[CharacterClass]] = []
        classes.reserveCapacity(256)
        for low in 0..<256 {
            guard let scalar = Unicode.Scalar(UInt32(number << 8 | low)) else {
                classes.append(CharacterClass(.dropped))  // surrogates: not in any text
                continue
            }
            let parts = Self.classify(scalar, rules)
            let isWord = rules.splitsIdeographs && Self.isIdeograph(scalar)
            switch parts.count {
            case 0:
                let isMark = rules.stripsAccents && UnicodeFacts.isAccent(scalar)
                classes.append(CharacterClass(isMark ? .mark : .dropped))
            case 1 where isWord && parts[0].kind == .letter:
                classes.append(CharacterClass(.single, parts[0].value))
            case 1:
                classes.append(parts[0])
            default:
                classes.append(CharacterClass(isWord ? .singleSequence : .sequence, UInt32(sequences.count)))
                sequences.append(parts)
            }
        }
        return Page(classes, sequences)
    }

    /// What becomes of `scalar`: letters, spaces and singles only.
    private static func classify(_ scalar: Unicode.Scalar, _ rules: CharacterRules) -> [CharacterClass] {
        if rules.cleans {
            if scalar.value == 0 || scalar.value == 0xFFFD || UnicodeFacts.isControl(scalar) { return [] }
        }
        if UnicodeFacts.isSpace(scalar) { return [CharacterClass(.space)] }
        var result: [CharacterClass] = []
        let decomposed = rules.stripsAccents ? UnicodeFacts.decomposition(of: scalar) : [scalar]
        for part in decomposed where !(rules.stripsAccents && UnicodeFacts.isAccent(part)) {
            let mapped = rules.lowercases ? Array(part.properties.lowercaseMapping.unicodeScalars) : [part]
            for final in mapped {
                result.append(CharacterClass(UnicodeFacts.isPunctuation(final) ? .single : .letter, final.value))
            }
        }
        return result
    }

    /// The blocks that BERT takes for Chinese characters, with the reference's own gap (2B820–2B91F).
    static func isIdeograph(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
            0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
            true
        default: false
        }
    }
}

/// Unicode's answers, as the reference tokenizer's tables give them.
enum UnicodeFacts {
    static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A, 0x0D: return false
        default: break
        }
        switch category(of: scalar) {
        case .control, .format, .privateUse: return true
        default: return false
        }
    }

    /// The category in Unicode 8.0, which the reference's tables hold; what came later is unassigned to it.
    private static func category(of scalar: Unicode.Scalar) -> Unicode.GeneralCategory {
        switch scalar.value {
        // Those that Unicode has put elsewhere since.
        case 0x166D, 0x111C9: return .otherPunctuation
        case 0x1734, 0x1171E: return .nonspacingMark
        case 0x1885, 0x1886: return .otherLetter
        case 0xA9BD: return .spacingMark
        default: break
        }
        guard let age = scalar.properties.age, age <= (8, 0) else { return .unassigned }
        return scalar.properties.generalCategory
    }

    static func isSpace(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.isWhitespace }

    static func isAccent(_ scalar: Unicode.Scalar) -> Bool {
        category(of: scalar) == .nonspacingMark
    }

    static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII {
            switch scalar.value {
            case 33...47, 58...64, 91...96, 123...126: return true
            default: return false
            }
        }
        switch category(of: scalar) {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
            .finalPunctuation, .otherPunctuation:
            return true
        default:
            return false
        }
    }

    /// The canonical decomposition (NFD) of one scalar.
    static func decomposition(of scalar: Unicode.Scalar) -> [Unicode.Scalar] {
        switch scalar.value {
        case ..<0xC0, 0x3400...0x9FFF, 0x20000...0x2F7FF: return [scalar]
        case 0xAC00...0xD7A3: return jamo(scalar.value - 0xAC00)
        default: return Array(String(scalar).decomposedStringWithCanonicalMapping.unicodeScalars)
        }
    }

    /// Parts of a Hangul syllable: The Unicode Standard, section 3.12.
    private static func jamo(_ index: UInt32) -> [Unicode.Scalar] {
        let parts = [0x1100 + index / 588, 0x1161 + index % 588 / 28]
        let last = index % 28
        return (last == 0 ? parts : parts + [0x11A7 + last]).compactMap { Unicode.Scalar($0) }
    }
}
