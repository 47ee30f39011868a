/// Percent escapes of addresses (RFC 3986, section 2.1).
enum PercentEncoding {
    /// Nil for a `%` without two hexadecimal digits and for what is no UTF-8.
    ///
    /// - Parameter plusIsSpace: as forms, and so queries, have it; not in a path.
    static func decoded(_ text: Substring, plusIsSpace: Bool = true) -> String? {
        if !text.utf8.contains(UInt8(ascii: "%")), !plusIsSpace || !text.utf8.contains(UInt8(ascii: "+")) {
            return String(text)
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
