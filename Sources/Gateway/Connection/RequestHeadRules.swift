import Domain

/// The rules for a whole head (RFC 9112, sections 3 and 6; RFC 9110, sections 5 and 7), stricter where it is allowed.
struct RequestHeadRules {
    private let bytes: UnsafeRawBufferPointer
    private var facts = RequestHeadFacts()
    private var method = ""
    private var path: String?
    private var authority: Range<Int>?
    private var host: Range<Int>?
    private var length: Int?
    private var isChunked = false

    /// - Parameters:
    ///   - bytes: those the scanner saw.
    ///   - line: of the request line.
    ///   - fields: of the fields; none is empty or begins with a space.
    static func check(
        _ bytes: UnsafeRawBufferPointer,
        line: Range<Int>,
        fields: [Range<Int>]
    ) throws(WireRefusal) -> RequestHeadFacts {
        var rules = RequestHeadRules(bytes)
        do throws(WireFaultError) {
            try rules.read(line: line)
            for field in fields { try rules.read(field: field) }
            try rules.conclude()
        } catch {
            throw WireRefusal(error.fault, method: rules.method.isEmpty ? nil : rules.method, path: rules.path)
        }
        return rules.facts
    }

    private init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    private struct WireFaultError: Error {
        let fault: WireFault
        init(_ fault: WireFault) { self.fault = fault }
    }

    // MARK: Request line

    private mutating func read(line: Range<Int>) throws(WireFaultError) {
        guard let first = line.first(where: { bytes[$0] == Self.space }),
            let last = line.last(where: { bytes[$0] == Self.space }), last > first + 1
        else { throw WireFaultError(.requestLine) }
        let method = line.lowerBound..<first
        guard !method.isEmpty, method.count <= 32, method.allSatisfy({ Self.isToken(bytes[$0]) }) else {
            throw WireFaultError(.method)
        }
        self.method = text(method)
        let target = first + 1..<last
        guard !target.contains(where: { bytes[$0] == Self.space }) else { throw WireFaultError(.requestLine) }
        try read(version: last + 1..<line.upperBound)
        try read(target: target)
        if !Self.methods.contains(self.method) { throw WireFaultError(.unsupportedMethod) }
    }

    private mutating func read(version: Range<Int>) throws(WireFaultError) {
        guard version.count == 8, matches(version.lowerBound..<version.lowerBound + 5, "HTTP/", exactly: true),
            Self.isDigit(bytes[version.lowerBound + 5]), bytes[version.lowerBound + 6] == UInt8(ascii: "."),
            Self.isDigit(bytes[version.lowerBound + 7])
        else { throw WireFaultError(.version) }
        switch (bytes[version.lowerBound + 5], bytes[version.lowerBound + 7]) {
        case (UInt8(ascii: "1"), UInt8(ascii: "1")): break
        case (UInt8(ascii: "1"), UInt8(ascii: "0")):
            // Nobody knows whether such a client could tell where an answer ends.
            facts.isVersion10 = true
            facts.closes = true
        default: throw WireFaultError(.unsupportedVersion)
        }
    }

    private mutating func read(target: Range<Int>) throws(WireFaultError) {
        guard target.allSatisfy({ bytes[$0] > 0x20 && bytes[$0] < 0x7F && bytes[$0] != UInt8(ascii: "#") }) else {
            throw WireFaultError(.target)
        }
        if method == "CONNECT", bytes[target.lowerBound] != UInt8(ascii: "/") { return }
        if target.count == 1, bytes[target.lowerBound] == UInt8(ascii: "*"), method == "OPTIONS" { return }
        var origin = target
        if bytes[target.lowerBound] != UInt8(ascii: "/") {
            guard let scheme = ["http://", "https://"].first(where: { starts(target, with: $0) }) else {
                throw WireFaultError(.target)
            }
            let start = target.lowerBound + scheme.utf8.count
            let end = (start..<target.upperBound).first { [0x2F, 0x3F].contains(bytes[$0]) } ?? target.upperBound
            authority = start..<end
            origin = end..<target.upperBound
            // `http://host` and `http://host?query` have no path of their own to be shortened to.
            guard !origin.isEmpty, bytes[end] == UInt8(ascii: "/") else { throw WireFaultError(.target) }
            facts.absolute = (target, origin)
        }
        let end = origin.first { bytes[$0] == UInt8(ascii: "?") } ?? origin.upperBound
        guard !(origin.lowerBound..<end).contains(where: { bytes[$0] == UInt8(ascii: "\\") }) else {
            throw WireFaultError(.target)
        }
        let path = text(origin.lowerBound..<end)
        self.path = path
        let longest = AirtableProblem.covers(path) ? Limits.airtableURIBytes : Limits.uriBytes
        if origin.count > longest { throw WireFaultError(.targetTooLong) }
    }

    // MARK: Fields

    private mutating func read(field: Range<Int>) throws(WireFaultError) {
        guard let colon = field.first(where: { bytes[$0] == UInt8(ascii: ":") }) else {
            throw WireFaultError(.fieldName)
        }
        let name = field.lowerBound..<colon
        guard !name.isEmpty, name.allSatisfy({ Self.isToken(bytes[$0]) }) else {
            let isSpaced = name.last.map { bytes[$0] == Self.space || bytes[$0] == UInt8(ascii: "\t") } ?? false
            throw WireFaultError(isSpaced ? .spaceBeforeColon : .fieldName)
        }
        switch name.count {
        case 4 where matches(name, "host"): try read(host: trimmed(colon + 1..<field.upperBound))
        case 6 where matches(name, "expect"):
            guard matches(trimmed(colon + 1..<field.upperBound), "100-continue") else {
                throw WireFaultError(.expectation)
            }
            facts.expectsContinue = true
        case 7 where matches(name, "upgrade"):
            let isSocket = method == "GET" && path == SocketHandshake.path
            if !isSocket || !matches(trimmed(colon + 1..<field.upperBound), "websocket") {
                facts.foreignUpgrades.append(name)
            }
        case 10 where matches(name, "connection"):
            for option in text(colon + 1..<field.upperBound).split(separator: ",") {
                let word = option.filter { $0 != " " && $0 != "\t" }
                if word.lowercased() == "close" { facts.closes = true }
            }
        case 14 where matches(name, "content-length"): try read(length: trimmed(colon + 1..<field.upperBound))
        case 17 where matches(name, "transfer-encoding"):
            guard !isChunked, matches(trimmed(colon + 1..<field.upperBound), "chunked") else {
                throw WireFaultError(.transferEncoding)
            }
            isChunked = true
        default: break
        }
    }

    private mutating func read(host value: Range<Int>) throws(WireFaultError) {
        guard host == nil else { throw WireFaultError(.severalHosts) }
        guard isAuthority(value) else { throw WireFaultError(.invalidHost) }
        host = value
    }

    private mutating func read(length value: Range<Int>) throws(WireFaultError) {
        guard length == nil else { throw WireFaultError(.severalLengths) }
        guard !value.isEmpty, value.count <= 15, value.allSatisfy({ Self.isDigit(bytes[$0]) }) else {
            throw WireFaultError(.invalidLength)
        }
        length = value.reduce(0) { $0 * 10 + Int(bytes[$1] - UInt8(ascii: "0")) }
    }

    private mutating func conclude() throws(WireFaultError) {
        if isChunked, length != nil { throw WireFaultError(.lengthAndEncoding) }
        // RFC 9112, section 6.1: such a message was put together by somebody who guessed.
        if isChunked, facts.isVersion10 { throw WireFaultError(.transferEncoding) }
        guard host != nil || facts.isVersion10 else { throw WireFaultError(.missingHost) }
        if let authority {
            guard isAuthority(authority) else { throw WireFaultError(.target) }
            guard let host, authority.count == host.count, matches(authority, text(host).lowercased()) else {
                throw WireFaultError(.foreignAuthority)
            }
        }
        if let length, length > 0 { facts.framing = .length(length) }
        if isChunked { facts.framing = .chunked }
        if facts.framing == .none { facts.expectsContinue = false }
    }

    // MARK: Bytes

    /// A name, IPv4 address or IPv6 address in brackets, and perhaps a port. Nobody's name has a comma, an `@` or a `/`.
    private func isAuthority(_ value: Range<Int>) -> Bool {
        guard !value.isEmpty, value.count <= 300 else { return false }
        var name = value
        if bytes[value.lowerBound] == UInt8(ascii: "[") {
            guard let end = value.first(where: { bytes[$0] == UInt8(ascii: "]") }) else { return false }
            let inner = value.lowerBound + 1..<end
            guard !inner.isEmpty, inner.allSatisfy({ Self.isHex(bytes[$0]) || [0x3A, 0x2E].contains(bytes[$0]) }) else {
                return false
            }
            name = end + 1..<value.upperBound
            if name.isEmpty { return true }
        } else {
            let end = value.first { bytes[$0] == UInt8(ascii: ":") } ?? value.upperBound
            let word = value.lowerBound..<end
            guard !word.isEmpty,
                word.allSatisfy({
                    Self.isDigit(bytes[$0]) || Self.isLetter(bytes[$0]) || [0x2D, 0x2E, 0x5F].contains(bytes[$0])
                })
            else { return false }
            name = end..<value.upperBound
            if name.isEmpty { return true }
        }
        guard bytes[name.lowerBound] == UInt8(ascii: ":"), (2...6).contains(name.count) else { return false }
        return name.dropFirst().allSatisfy { Self.isDigit(bytes[$0]) }
    }

    private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    private func trimmed(_ range: Range<Int>) -> Range<Int> {
        var range = range
        while let first = range.first, bytes[first] == Self.space || bytes[first] == UInt8(ascii: "\t") {
            range = range.dropFirst()
        }
        while let last = range.last, bytes[last] == Self.space || bytes[last] == UInt8(ascii: "\t") {
            range = range.dropLast()
        }
        return range
    }

    private func starts(_ range: Range<Int>, with prefix: String) -> Bool {
        range.count > prefix.utf8.count
            && matches(range.lowerBound..<range.lowerBound + prefix.utf8.count, prefix)
    }

    /// - Parameter word: in lower case, unless its case matters.
    private func matches(_ range: Range<Int>, _ word: String, exactly: Bool = false) -> Bool {
        guard range.count == word.utf8.count else { return false }
        var position = range.lowerBound
        for letter in word.utf8 {
            let byte = bytes[position]
            let folded = !exactly && byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
            if folded != letter { return false }
            position += 1
        }
        return true
    }

    private static let methods: Set<String> = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE",
    ]
    private static let space = UInt8(ascii: " ")

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
    private static func isLetter(_ byte: UInt8) -> Bool { byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A }
    static func isHex(_ byte: UInt8) -> Bool { isDigit(byte) || byte | 0x20 >= 0x61 && byte | 0x20 <= 0x66 }

    /// RFC 9110, section 5.6.2: bit n is set when the byte n may stand in a word.
    static func isToken(_ byte: UInt8) -> Bool {
        guard byte < 0x80 else { return false }
        return byte < 64 ? tokenLow >> UInt64(byte) & 1 == 1 : tokenHigh >> UInt64(byte - 64) & 1 == 1
    }

    private static let (tokenLow, tokenHigh): (UInt64, UInt64) = {
        var bits: (UInt64, UInt64) = (0, 0)
        let letters = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
        for byte in letters.utf8 {
            if byte < 64 { bits.0 |= 1 << UInt64(byte) } else { bits.1 |= 1 << UInt64(byte - 64) }
        }
        return bits
    }()
}
