import Foundation

/// Base64 as the API has it.
package enum Base64 {
    package static func text(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

    /// Reads what senders write: with line breaks and spaces (MIME, RFC 2045), in the alphabet of addresses (RFC 4648,
    /// section 5), with padding or without.
    ///
    /// - Returns: nil for anything else.
    package static func bytes(lenient text: String) -> [UInt8]? {
        var digits: [UInt8] = []
        digits.reserveCapacity(text.utf8.count + 3)
        for byte in text.utf8 {
            switch byte {
            case 0x09, 0x0A, 0x0D, 0x20: continue
            case UInt8(ascii: "-"): digits.append(UInt8(ascii: "+"))
            case UInt8(ascii: "_"): digits.append(UInt8(ascii: "/"))
            default: digits.append(byte)
            }
        }
        if !digits.contains(UInt8(ascii: "=")) {
            digits += [UInt8](repeating: UInt8(ascii: "="), count: (4 - digits.count % 4) % 4)
        }
        return Data(base64Encoded: Data(digits)).map { Array($0) }
    }
}
