/// What a file is called: for people, for a header, never for a path of ours.
enum AttachmentName {
    static let unnamed = "untitled"
    private static let charactersMax = 255

    /// A name that somebody gave, made harmless: the last part of a path, without control characters.
    static func cleaned(_ name: String) -> String {
        let last = (name.split { $0 == "/" || $0 == "\\" }.last ?? "").prefix(4_096)
        let scalars = last.unicodeScalars.filter { scalar in
            switch scalar.properties.generalCategory {
            // Line and paragraph separators and characters that turn the direction of text make one name look like
            // another.
            case .control, .lineSeparator, .paragraphSeparator, .surrogate: false
            case .format: scalar.value == 0x200D || scalar.value == 0x200C
            default: true
            }
        }
        var text = String(String.UnicodeScalarView(scalars))
        while text.first?.isWhitespace == true || text.hasPrefix(".") { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        guard text.unicodeScalars.count > charactersMax else { return text.isEmpty ? unnamed : text }
        // The ending says what the file is, so it stays.
        let ending = text.split(separator: ".").last.map { ".\($0)" } ?? ""
        guard ending.unicodeScalars.count <= 16, ending.unicodeScalars.count < text.unicodeScalars.count else {
            return String(text.unicodeScalars.prefix(charactersMax))
        }
        return String(text.unicodeScalars.prefix(charactersMax - ending.unicodeScalars.count)) + ending
    }

    /// The name in a `Content-Disposition` header (RFC 6266); nil when it gives none. `filename*` goes before.
    static func named(inDisposition disposition: String) -> String? {
        var plain: String?
        for part in parameters(disposition) {
            guard let equals = part.firstIndex(of: "=") else { continue }
            let key = part[..<equals].filter { $0 != " " }.lowercased()
            let value = part[part.index(after: equals)...].trimmingPrefix { $0 == " " }
            if key == "filename*" {
                // Charset, language and name between quotes; anything but UTF-8 is left alone.
                let pieces = value.split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
                if pieces.count == 3, pieces[0].lowercased() == "utf-8", let name = percentDecoded(pieces[2]) {
                    return cleaned(name)
                }
            } else if key == "filename" {
                plain = unquoted(value)
            }
        }
        return plain.flatMap { $0.isEmpty ? nil : cleaned($0) }
    }

    /// The last part of an address's path; nil when it has none.
    static func named(inAddress url: String) -> String? {
        let afterScheme = url.firstRange(of: "://").map { url[$0.upperBound...] } ?? url[...]
        guard let slash = afterScheme.firstIndex(of: "/") else { return nil }
        let path = afterScheme[slash...].prefix { $0 != "?" && $0 != "#" }
        guard let last = path.split(separator: "/").last else { return nil }
        let name = cleaned(percentDecoded(last) ?? String(last))
        return name == unnamed ? nil : name
    }

    /// As a header says it: plain letters for old readers, and all of it for others.
    static func disposition(_ kind: String, _ name: String) -> String {
        let plain = String(
            name.unicodeScalars.map { scalar in
                (0x20..<0x7F).contains(scalar.value) && scalar != "\"" && scalar != "\\" ? Character(scalar) : "_"
            }
        )
        return "\(kind); filename=\"\(plain)\"; filename*=UTF-8''\(percentEncoded(name))"
    }

    // MARK: Percents

    /// Everything but letters, digits, `-`, `.` and `_`, so that it may stand in a path and in a header.
    static func percentEncoded(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                encoded.append(Character(UnicodeScalar(byte)))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += "%" + (digits.utf8.count == 1 ? "0" : "") + digits
            }
        }
        return encoded
    }

    /// Nil when what comes out is no UTF-8, or a percent stands alone.
    private static func percentDecoded(_ text: some StringProtocol) -> String? {
        var bytes: [UInt8] = []
        var rest = Substring(text).utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let decoded = UInt8(Substring(rest.prefix(2)), radix: 16), rest.count >= 2 else { return nil }
            rest = rest.dropFirst(2)
            bytes.append(decoded)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// A header's parameters: split at semicolons that stand in no quotes.
    private static func parameters(_ value: String) -> [Substring] {
        var parts: [Substring] = []
        var (start, isQuoted, isEscaped) = (value.startIndex, false, false)
        for position in value.indices {
            switch value[position] {
            case _ where isEscaped: isEscaped = false
            case "\\" where isQuoted: isEscaped = true
            case "\"": isQuoted.toggle()
            case ";" where !isQuoted:
                parts.append(value[start..<position])
                start = value.index(after: position)
            default: break
            }
        }
        return parts + [value[start...]]
    }

    private static func unquoted(_ value: some StringProtocol) -> String {
        guard value.hasPrefix("\"") else { return String(value.prefix { $0 != " " }) }
        var (text, isEscaped) = ("", false)
        for character in value.dropFirst() {
            if isEscaped {
                text.append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                break
            } else {
                text.append(character)
            }
        }
        return text
    }
}
