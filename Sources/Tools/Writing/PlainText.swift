import Domain
import Foundation
import Synchronization

/// Text as bytes in which what only looks different is the same.
enum PlainText {
    /// Without what does not show or only looks different; ASCII letters as they are, for base64 tells them apart.
    static func bytes(of text: String) -> [UInt8] {
        if let ascii = text.utf8.withContiguousStorageIfAvailable({ isASCII($0) ? Array($0) : nil }), let ascii {
            return ascii
        }
        var known = folds.withLock { $0 }
        var isNews = false
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            if scalar.value < 0x80 {
                bytes.append(UInt8(scalar.value))
            } else if isFarFromLatin(scalar) {
                bytes += UTF8.encode(scalar)!
            } else if let fold = known[scalar] {
                bytes += fold
            } else {
                let fold = fold(scalar)
                if known.count >= foldsMax { known.removeAll() }
                known[scalar] = fold
                isNews = true
                bytes += fold
            }
        }
        if isNews { folds.withLock { $0 = known } }
        return bytes
    }

    /// Records have one between any two values.
    static func isIdentifier(_ bytes: [UInt8]) -> Bool {
        bytes.count == 17 && bytes.allSatisfy { isLetter($0) || isDigit($0) }
            && ["rec", "tbl", "app", "fld", "viw", "com", "att", "usr"].contains { bytes.starts(with: $0.utf8) }
    }

    static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(lowered(byte)) }
    static func lowered(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }

    // MARK: Folding

    private static func isASCII(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var all: UInt8 = 0
        for byte in bytes { all |= byte }
        return all < 0x80
    }

    /// What stands for a character, kept because asking for it takes a microsecond. Not asked for each text as a whole, which takes
    /// long where many marks follow one another.
    private static let folds = Mutex<[Unicode.Scalar: [UInt8]]>([:])
    private static let foldsMax = 8_192

    /// Of the writing of East Asia: nothing in these blocks is made of other letters, or hidden.
    private static func isFarFromLatin(_ scalar: Unicode.Scalar) -> Bool {
        (0x3400...0xA63F).contains(scalar.value) || (0xAC00...0xD7A3).contains(scalar.value)
    }

    private static func fold(_ scalar: Unicode.Scalar) -> [UInt8] {
        var bytes: [UInt8] = []
        for scalar in String(scalar).decomposedStringWithCompatibilityMapping.unicodeScalars {
            if scalar.value < 0x80 {
                bytes.append(UInt8(scalar.value))
            } else if let twin = twins[scalar] {
                bytes.append(twin)
            } else if !HiddenText.isHidden(scalar), scalar.properties.generalCategory != .nonspacingMark {
                bytes += Array(String(scalar).utf8)
            }
        }
        return bytes
    }

    /// Letters that look like those of names.
    private static let twins: [Unicode.Scalar: UInt8] = {
        let pairs = zip(
            "аеорсутхіѕԁһјкмпвիոսցոαεορτυινμκχϲⅼᴀᴄᴅᴇᴍᴏᴘʀᴛᴜ‿⁀ˍ‐‑‒–−",
            "aeopcytxisdhjkmnbinuunaeoptuivmkxclacdemoprtu___-----"
        )
        return Dictionary(
            pairs.compactMap { look, letter in
                letter.asciiValue.flatMap { value in look.unicodeScalars.first.map { ($0, value) } }
            },
            uniquingKeysWith: { first, _ in first }
        )
    }()
}
