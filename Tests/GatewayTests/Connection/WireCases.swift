import Domain
import Testing

/// What is written to a socket, and what must come back. `\u{E000}` stands for the byte 0xFF, which no text holds.
struct WireCase: Sendable, CustomTestStringConvertible {
    let name: String
    let text: String
    let status: Int
    let code: String?

    var bytes: [UInt8] { text.unicodeScalars.flatMap { $0.value == 0xE000 ? [0xFF] : Array(String($0).utf8) } }
    var testDescription: String { name }

    init(_ name: String, _ text: String, _ status: Int = 400, code: String? = "malformedRequest") {
        self.name = name
        self.text = text
        self.status = status
        self.code = code
    }

    /// A POST with these lines in its head, and this body.
    private static func post(_ name: String, _ fields: String, _ body: String = "", _ status: Int = 400) -> WireCase {
        WireCase(name, "POST /api/v1/search HTTP/1.1\r\nHost: x\r\n\(fields)\r\n\r\n\(body)", status)
    }

    private static func get(_ name: String, _ fields: String, _ status: Int = 400) -> WireCase {
        WireCase(name, "GET /health HTTP/1.1\r\n\(fields)\r\n\r\n", status)
    }

    private static func line(
        _ name: String,
        _ line: String,
        _ status: Int = 400,
        code: String? = "malformedRequest"
    ) -> WireCase {
        WireCase(name, "\(line)\r\nHost: x\r\n\r\n", status, code: code)
    }

    /// Answered with a refusal and the connection's end.
    static let refused = refusedHeads + chunks

    static let refusedHeads = framing + lines + hosts + fields + methods + sizes

    private static let framing: [WireCase] = [
        post("length and chunked", "Content-Length: 5\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
        post("chunked and length", "Transfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n"),
        post("two equal lengths", "Content-Length: 2\r\nContent-Length: 2", "{}"),
        post("two lengths", "Content-Length: 2\r\nContent-Length: 20", "{}"),
        post("lengths in a list", "Content-Length: 2, 2", "{}"),
        post("a length with a sign", "Content-Length: +2", "{}"),
        post("a negative length", "Content-Length: -2", "{}"),
        post("a hexadecimal length", "Content-Length: 0x2", "{}"),
        post("a length with a fraction", "Content-Length: 2.0", "{}"),
        post("a length of words", "Content-Length: two", "{}"),
        post("an empty length", "Content-Length:", "{}"),
        post("a length that overflows", "Content-Length: 18446744073709551617", "{}"),
        post("a length with a space inside", "Content-Length: 1 2", "{}"),
        post("a length in Arabic digits", "Content-Length: \u{662}", "{}"),
        post("an unknown coding", "Transfer-Encoding: gzip", "{}"),
        post("gzip before chunked", "Transfer-Encoding: gzip, chunked", "0\r\n\r\n"),
        post("chunked twice", "Transfer-Encoding: chunked, chunked", "0\r\n\r\n"),
        post("chunked in two fields", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
        post("chunked and identity", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "0\r\n\r\n"),
        post("identity", "Transfer-Encoding: identity", "{}"),
        post("a letter too many", "Transfer-Encoding: xchunked", "0\r\n\r\n"),
        post("quoted", "Transfer-Encoding: \"chunked\"", "0\r\n\r\n"),
        post("with a parameter", "Transfer-Encoding: chunked;q=1", "0\r\n\r\n"),
        post("with a vertical tab", "Transfer-Encoding: \u{B}chunked", "0\r\n\r\n"),
        post("with an empty element", "Transfer-Encoding: ,chunked", "0\r\n\r\n"),
        post("a space before its colon", "Transfer-Encoding : chunked", "0\r\n\r\n"),
        post("a space before the length's colon", "Content-Length : 2", "{}"),
        post("a folded coding", "Transfer-Encoding:\r\n chunked", "0\r\n\r\n"),
        post("another byte behind it", "Transfer-Encoding: chunked\u{E000}", "0\r\n\r\n"),
        WireCase(
            "chunked in 1.0",
            "POST /api/v1/search HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        ),
    ]

    private static func chunked(_ name: String, _ body: String) -> WireCase {
        post(name, "Content-Type: application/json\r\nTransfer-Encoding: chunked", body)
    }

    private static let chunks: [WireCase] = [
        chunked("a size of no digits", "\r\n{}\r\n0\r\n\r\n"),
        chunked("a size with a prefix", "0x2\r\n{}\r\n0\r\n\r\n"),
        chunked("a size with a sign", "+2\r\n{}\r\n0\r\n\r\n"),
        chunked("a negative size", "-2\r\n{}\r\n0\r\n\r\n"),
        chunked("a size with a space before", " 2\r\n{}\r\n0\r\n\r\n"),
        chunked("a size with a space behind", "2 \r\n{}\r\n0\r\n\r\n"),
        chunked("a size that is no number", "zz\r\n{}\r\n0\r\n\r\n"),
        chunked("a size that overflows", "FFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n"),
        chunked("a size of seventeen digits", "00000000000000002\r\n{}\r\n0\r\n\r\n"),
        chunked("a size that ends with a line feed", "2\n{}\r\n0\r\n\r\n"),
        chunked("a size that ends with a carriage return", "2\r{}\r\n0\r\n\r\n"),
        chunked("a chunk shorter than its size", "4\r\n{}\r\n0\r\n\r\n"),
        chunked("a chunk longer than its size", "1\r\n{}\r\n0\r\n\r\n"),
        chunked("a chunk that ends with a line feed", "2\r\n{}\n0\r\n\r\n"),
        chunked("an extension with a line feed", "2;a=\nb\r\n{}\r\n0\r\n\r\n"),
        chunked("an extension with a carriage return", "2;a\rb\r\n{}\r\n0\r\n\r\n"),
        chunked("an extension with NUL", "2;a=\u{0}\r\n{}\r\n0\r\n\r\n"),
        chunked("an extension without end", "2;" + String(repeating: "a", count: 5_000) + "\r\n{}\r\n0\r\n\r\n"),
        chunked("a trailer without a colon", "2\r\n{}\r\n0\r\nnonsense\r\n\r\n"),
        chunked("a folded trailer", "2\r\n{}\r\n0\r\nA: b\r\n c\r\n\r\n"),
        chunked("a trailer with a space", "2\r\n{}\r\n0\r\nA : b\r\n\r\n"),
        chunked(
            "trailers without end",
            "2\r\n{}\r\n0\r\n" + String(repeating: "A: bbbbbbbb\r\n", count: 1_000) + "\r\n"
        ),
    ]

    private static let lines: [WireCase] = [
        line("two spaces before the address", "GET  /health HTTP/1.1"),
        line("two spaces behind the address", "GET /health  HTTP/1.1"),
        line("a tab", "GET\t/health HTTP/1.1"),
        line("a space before the method", " GET /health HTTP/1.1"),
        line("no version", "GET /health"),
        line("no address", "GET HTTP/1.1"),
        line("a word alone", "GET"),
        line("a version in lower case", "GET /health http/1.1"),
        line("a version without a dot", "GET /health HTTP/11"),
        line("a version of three digits", "GET /health HTTP/1.10"),
        line("something behind the version", "GET /health HTTP/1.1 x"),
        line("another protocol", "GET /health ICAP/1.0"),
        line("HTTP/2.0", "GET /health HTTP/2.0", 505, code: "unsupportedVersion"),
        line("HTTP/1.2", "GET /health HTTP/1.2", 505, code: "unsupportedVersion"),
        line("HTTP/0.9", "GET /health HTTP/0.9", 505, code: "unsupportedVersion"),
        WireCase("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, code: nil),
        line("an address without a slash", "GET health HTTP/1.1"),
        line("an asterisk for GET", "GET * HTTP/1.1"),
        line("a fragment", "GET /health#x HTTP/1.1"),
        line("a backslash", "GET /api\\v1 HTTP/1.1"),
        line("a letter that is not ASCII", "GET /h\u{E4}lth HTTP/1.1"),
        line("a byte that is no text", "GET /\u{E000} HTTP/1.1"),
        line("NUL in the address", "GET /health\u{0} HTTP/1.1"),
        line("a carriage return in the address", "GET /hea\rlth HTTP/1.1"),
        line("a method with a slash", "GE/T /health HTTP/1.1"),
        line("a method of forty letters", String(repeating: "A", count: 40) + " /health HTTP/1.1"),
        line("ftp", "GET ftp://x/health HTTP/1.1"),
        line("absolute with another host", "GET http://y/health HTTP/1.1"),
        line("absolute with another port", "GET http://x:81/health HTTP/1.1"),
        line("absolute with a user", "GET http://a@x/health HTTP/1.1"),
        line("absolute without a path", "GET http://x HTTP/1.1"),
        WireCase("bare line feeds", "GET /health HTTP/1.1\nHost: x\n\n"),
        WireCase("one bare line feed", "GET /health HTTP/1.1\r\nHost: x\nA: b\r\n\r\n"),
        WireCase("a bare line feed at the end", "GET /health HTTP/1.1\r\nHost: x\r\n\n"),
        WireCase("many empty lines before", "\r\n\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n"),
        WireCase("a TLS hello", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}"),
        WireCase("noise", "\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}"),
    ]

    private static let hosts: [WireCase] = [
        get("no Host", "A: b"),
        get("two Hosts", "Host: x\r\nHost: x"),
        get("two different Hosts", "Host: x\r\nHost: y"),
        get("an empty Host", "Host:"),
        get("a list of Hosts", "Host: x, y"),
        get("a Host with a path", "Host: x/health"),
        get("a Host with a user", "Host: a@x"),
        get("a Host with a space", "Host: x y"),
        get("a Host with a port of letters", "Host: x:http"),
        get("a Host with two ports", "Host: x:80:81"),
        get("a Host in open brackets", "Host: [::1"),
        get("a Host with a scheme", "Host: http://x"),
        get("a folded Host", "Host:\r\n x"),
    ]

    private static let fields: [WireCase] = [
        get("a folded field", "Host: x\r\nA: b\r\n c"),
        get("a field folded with a tab", "Host: x\r\nA: b\r\n\tc"),
        get("a first line that is folded", " Host: x"),
        get("a space before a colon", "Host: x\r\nA : b"),
        get("a tab before a colon", "Host: x\r\nA\t: b"),
        get("no colon", "Host: x\r\nnonsense"),
        get("no name", "Host: x\r\n: b"),
        get("a name with a space", "Host: x\r\nA b: c"),
        get("a name with a bracket", "Host: x\r\nA[]: c"),
        get("a name that is not ASCII", "Host: x\r\n\u{C4}: c"),
        get("NUL in a value", "Host: x\r\nA: b\u{0}c"),
        get("a bell in a value", "Host: x\r\nA: \u{7}"),
        get("DEL in a value", "Host: x\r\nA: \u{7F}"),
        get("a carriage return in a value", "Host: x\r\nA: b\rc"),
        get("a carriage return before the line's end", "Host: x\r\nA: b\r"),
        WireCase(
            "an unknown expectation",
            "GET /health HTTP/1.1\r\nHost: x\r\nExpect: a-miracle\r\n\r\n",
            417,
            code: "unknownExpectation"
        ),
    ]

    private static let methods: [WireCase] = [
        line("CONNECT", "CONNECT x:443 HTTP/1.1", 405, code: "methodNotAllowed"),
        line("CONNECT with a path", "CONNECT /health HTTP/1.1", 405, code: "methodNotAllowed"),
        line("an unknown method", "BREW /health HTTP/1.1", 405, code: "methodNotAllowed"),
        line("PROPFIND", "PROPFIND /api/v1/search HTTP/1.1", 405, code: "methodNotAllowed"),
        line("a method in lower case", "get /health HTTP/1.1", 405, code: "methodNotAllowed"),
        line("an unknown method of no address", "BREW /nothing HTTP/1.1", 404, code: "notFound"),
    ]

    private static let sizes: [WireCase] = [
        line(
            "a long address",
            "GET /" + String(repeating: "a", count: Limits.uriBytes) + " HTTP/1.1",
            414,
            code: "uriTooLong"
        ),
        line(
            "a long query",
            "GET /health?" + String(repeating: "a", count: Limits.uriBytes) + " HTTP/1.1",
            414,
            code: "uriTooLong"
        ),
        WireCase(
            "an address without end",
            "GET /" + String(repeating: "a", count: 100_000),
            414,
            code: "uriTooLong"
        ),
        WireCase(
            "a long address of Airtable's API",
            "GET /v0/" + String(repeating: "a", count: Limits.airtableURIBytes) + " HTTP/1.1\r\nHost: x\r\n\r\n",
            413,
            code: nil
        ),
        get("many fields", "Host: x\r\n" + (0..<100).map { "A\($0): b" }.joined(separator: "\r\n"), 431).coded(
            "headTooLarge"
        ),
        get("a long field", "Host: x\r\nA: " + String(repeating: "b", count: Limits.headerBytes), 431)
            .coded("headTooLarge"),
        get("a long name", "Host: x\r\n" + String(repeating: "b", count: Limits.headerBytes) + ": c", 431)
            .coded("headTooLarge"),
        WireCase(
            "fields without end",
            "GET /health HTTP/1.1\r\nHost: x\r\n" + String(repeating: "A: bbbbbbbbbb\r\n", count: 10_000),
            431,
            code: "headTooLarge"
        ),
    ]

    private func coded(_ code: String) -> WireCase { WireCase(name, text, status, code: code) }

    /// Taken, each with the answer to `/health` at its end.
    static let taken: [WireCase] = [
        get("the plainest", "Host: x", 200),
        WireCase("an empty line before", "\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n", 200),
        get("names in any case", "hOsT: x\r\ncontent-LENGTH: 0", 200),
        get("tabs and spaces around a value", "Host:\t x \t", 200),
        get("no space behind the colon", "Host:x", 200),
        get("a port", "Host: x:8080", 200),
        get("IPv6", "Host: [::1]:8080", 200),
        get("an empty value", "Host: x\r\nA:", 200),
        get("bytes above ASCII in a value", "Host: x\r\nA: \u{E4}\u{E000}", 200),
        get("a body for GET", "Host: x\r\nContent-Length: 2", 200).with("{}"),
        get("a length with zeros before it", "Host: x\r\nContent-Length: 002", 200).with("{}"),
        get("chunks for GET", "Host: x\r\nTransfer-Encoding: CHUNKED", 200).with("2\r\n{}\r\n0\r\n\r\n"),
        get("a size with zeros before it", "Host: x\r\nTransfer-Encoding: chunked", 200)
            .with("0002\r\n{}\r\n000\r\n\r\n"),
        get("an extension", "Host: x\r\nTransfer-Encoding: chunked", 200)
            .with("2;a=\"b\"\r\n{}\r\n0;c\r\n\r\n"),
        get("trailers", "Host: x\r\nTransfer-Encoding: chunked", 200)
            .with("2\r\n{}\r\n0\r\nContent-Length: 5\r\nHost: y\r\n\r\n"),
        line("absolute with the same host", "GET http://X/health HTTP/1.1", 200),
        line("absolute over https", "GET https://x/health?a HTTP/1.1", 400, code: nil),
        line("a query with brackets", "GET /health?a[0]=b HTTP/1.1", 400, code: nil),
        get("an upgrade to HTTP/2", "Host: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c", 200),
        get("a hundred fields", "Host: x\r\n" + (0..<99).map { "A\($0): b" }.joined(separator: "\r\n"), 200),
        WireCase(
            "the longest address of Airtable's API",
            "GET /v0/" + String(repeating: "a", count: Limits.airtableURIBytes - 4) + " HTTP/1.1\r\nHost: x\r\n\r\n",
            404,
            code: nil
        ),
    ]

    private func with(_ body: String) -> WireCase { WireCase(name, text + body, status, code: code) }
}
