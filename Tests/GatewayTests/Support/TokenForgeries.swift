import Domain
import TestSupport
import Testing

@testable import Access

/// A token that must open nothing, made from a good one.
struct Forgery: Sendable, CustomTestStringConvertible {
    let name: String
    let make: @Sendable (Forge) throws -> String
    var testDescription: String { name }

    init(_ name: String, _ make: @escaping @Sendable (Forge) throws -> String) {
        self.name = name
        self.make = make
    }

    /// The good token with another header, signed by the server's own key.
    static func header(_ name: String, _ header: String) -> Self {
        Self("header: \(name)") { try $0.signed($0.filled(header), $0.goodClaims) }
    }

    /// The good token with other claims, signed by the server's own key.
    static func claims(_ name: String, _ change: @escaping @Sendable (inout JSONObject, Int) -> Void) -> Self {
        Self("claims: \(name)") { try $0.signed($0.goodHeader, $0.changed(change)) }
    }

    /// The good token's claims as other JSON, signed by the server's own key.
    static func body(_ name: String, _ change: @escaping @Sendable (String) -> String) -> Self {
        Self("claims: \(name)") { try $0.signed($0.goodHeader, change($0.goodClaims)) }
    }

    /// The good token's three segments, put together otherwise.
    static func segments(_ name: String, _ change: @escaping @Sendable ([String]) -> String) -> Self {
        Self("segments: \(name)") { forge in change(Forge.segments(of: forge.good)) }
    }
}

/// What a forger would like to have: the server's own key, and a live session.
struct Forge: Sendable {
    let signer: TokenSigner
    let good: String
    /// Seconds since 1970.
    let now: Int

    var goodHeader: String { text(0) }
    var goodClaims: String { text(1) }
    var kid: String { signer.id }

    /// What stands between the dots.
    static func segments(of token: String) -> [String] {
        token.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    }

    private func text(_ segment: Int) -> String {
        let bytes = Base64URL.decoded(Array(Forge.segments(of: good)[segment].utf8)) ?? []
        return String(decoding: bytes, as: UTF8.self)
    }

    /// `KID` and `KEY` filled in.
    func filled(_ header: String) -> String {
        header.replacing("KID", with: kid).replacing("KEY", with: Base64URL.text(signer.verifyingKey.bytes))
    }

    func changed(_ change: (inout JSONObject, Int) -> Void) throws -> String {
        var members = try JSONValue(parsing: goodClaims).objectValue ?? [:]
        change(&members, now)
        return JSONValue.object(members).text
    }

    func signed(_ header: String, _ claims: String, by signer: TokenSigner? = nil) throws -> String {
        let text = Base64URL.text(Array(header.utf8)) + "." + Base64URL.text(Array(claims.utf8))
        return text + "." + Base64URL.text(try (signer ?? self.signer).signature(of: Array(text.utf8)))
    }

    /// The good claims under a header, "signed" with HMAC.
    func hashed(_ header: String, secret: [UInt8]) -> String {
        let text = Base64URL.text(Array(filled(header).utf8)) + "." + Base64URL.text(Array(goodClaims.utf8))
        return text + "." + Base64URL.text(SigningKey(Secret(bytes: secret)).signature(of: Array(text.utf8)))
    }
}

extension Forgery {
    static let all: [Forgery] = headers + hashes + texts + purposes + times + shapes + keys

    private static let headers: [Forgery] =
        ["none", "None", "NONE", "nOnE"].map { algorithm in
            Forgery("alg \(algorithm), unsigned") {
                let header = #"{"alg":"\#(algorithm)","kid":"\#($0.kid)","typ":"at+jwt"}"#
                return Base64URL.text(Array(header.utf8)) + "." + Base64URL.text(Array($0.goodClaims.utf8)) + "."
            }
        }
        + ["none", "HS256", "ES256", "RS256", "EdDSA ", "eddsa", "Ed25519", ""].map { algorithm in
            header("alg \(algorithm)", #"{"alg":"\#(algorithm)","kid":"KID","typ":"at+jwt"}"#)
        }
        + [
            header("no alg", #"{"kid":"KID","typ":"at+jwt"}"#),
            header("alg as a list", #"{"alg":["EdDSA"],"kid":"KID","typ":"at+jwt"}"#),
            header("alg twice", #"{"alg":"none","alg":"EdDSA","kid":"KID","typ":"at+jwt"}"#),
            header("alg twice, escaped", #"{"alg":"EdDSA","\u0061lg":"EdDSA","kid":"KID","typ":"at+jwt"}"#),
            header("no typ", #"{"alg":"EdDSA","kid":"KID"}"#),
            header("no typ, another member", #"{"alg":"EdDSA","kid":"KID","cty":"at+jwt"}"#),
            header("typ JWT", #"{"alg":"EdDSA","kid":"KID","typ":"JWT"}"#),
            header("typ AT+JWT", #"{"alg":"EdDSA","kid":"KID","typ":"AT+JWT"}"#),
            header("typ of a reset token", #"{"alg":"EdDSA","kid":"KID","typ":"reset+jwt"}"#),
            header("typ null", #"{"alg":"EdDSA","kid":"KID","typ":null}"#),
            header("no kid", #"{"alg":"EdDSA","typ":"at+jwt"}"#),
            header("kid of nobody", #"{"alg":"EdDSA","kid":"x","typ":"at+jwt"}"#),
            header("kid empty", #"{"alg":"EdDSA","kid":"","typ":"at+jwt"}"#),
            header("kid as a number", #"{"alg":"EdDSA","kid":1,"typ":"at+jwt"}"#),
            header("kid a path", #"{"alg":"EdDSA","kid":"../../../../dev/null","typ":"at+jwt"}"#),
            header("kid SQL", #"{"alg":"EdDSA","kid":"x' OR '1'='1","typ":"at+jwt"}"#),
            header("kid SQL union", #"{"alg":"EdDSA","kid":"' UNION SELECT 'KEY' --","typ":"at+jwt"}"#),
            header("kid an address", #"{"alg":"EdDSA","kid":"http://127.0.0.1:1/key","typ":"at+jwt"}"#),
            header("kid with NUL", #"{"alg":"EdDSA","kid":"KID\u0000","typ":"at+jwt"}"#),
            header("jku", #"{"alg":"EdDSA","kid":"KID","typ":"at+jwt","jku":"http://127.0.0.1:1/jwks.json"}"#),
            header("x5u", #"{"alg":"EdDSA","kid":"KID","typ":"at+jwt","x5u":"http://127.0.0.1:1/cert"}"#),
            header("x5c", #"{"alg":"EdDSA","kid":"KID","typ":"at+jwt","x5c":["MIIB"]}"#),
            header(
                "jwk",
                #"{"alg":"EdDSA","kid":"KID","typ":"at+jwt","jwk":{"kty":"OKP","crv":"Ed25519","x":"KEY"}}"#
            ),
            header("crit", #"{"alg":"EdDSA","kid":"KID","typ":"at+jwt","crit":["exp"],"exp":1}"#),
            header("b64 false", #"{"alg":"EdDSA","kid":"KID","typ":"at+jwt","b64":false,"crit":["b64"]}"#),
            header("zip", #"{"alg":"EdDSA","kid":"KID","typ":"at+jwt","zip":"DEF"}"#),
            header("no object", #"["EdDSA"]"#),
            header("nothing", ""),
            header("two values", #"{"alg":"EdDSA","kid":"KID","typ":"at+jwt"} {}"#),
            header("byte order mark", "\u{FEFF}" + #"{"alg":"EdDSA","kid":"KID","typ":"at+jwt"}"#),
            header(
                "deep",
                #"{"alg":"EdDSA","kid":"KID","typ":"# + String(repeating: "[", count: 100)
                    + String(repeating: "]", count: 100) + "}"
            ),
        ]

    private static let hashes: [Forgery] = [
        Forgery("HS256 with the public key") {
            $0.hashed(#"{"alg":"HS256","kid":"KID","typ":"at+jwt"}"#, secret: $0.signer.verifyingKey.bytes)
        },
        Forgery("HS256 with the public key's text") {
            let text = Base64URL.encoded($0.signer.verifyingKey.bytes)
            return $0.hashed(#"{"alg":"HS256","kid":"KID","typ":"at+jwt"}"#, secret: text)
        },
        Forgery("HS256 with no secret") { $0.hashed(#"{"alg":"HS256","kid":"KID","typ":"at+jwt"}"#, secret: []) },
        Forgery("HMAC under our algorithm") {
            $0.hashed(#"{"alg":"EdDSA","kid":"KID","typ":"at+jwt"}"#, secret: $0.signer.verifyingKey.bytes)
        },
    ]

    private static let texts: [Forgery] = [
        segments("two") { $0[0] + "." + $0[1] },
        segments("no signature") { $0[0] + "." + $0[1] + "." },
        segments("four") { ($0 + ["e30"]).joined(separator: ".") },
        segments("four, the last empty") { ($0 + [""]).joined(separator: ".") },
        segments("five, as JWE has") { ($0 + ["e30", "e30"]).joined(separator: ".") },
        segments("a dot before") { "." + $0.joined(separator: ".") },
        segments("claims before header") { [$0[1], $0[0], $0[2]].joined(separator: ".") },
        segments("header twice") { [$0[0], $0[0], $0[2]].joined(separator: ".") },
        segments("no header") { ["", $0[1], $0[2]].joined(separator: ".") },
        segments("no claims") { [$0[0], "", $0[2]].joined(separator: ".") },
        segments("only dots") { _ in ".." },
        segments("padded") { $0[0] + "=." + $0[1] + "." + $0[2] },
        segments("padded signature") { $0.joined(separator: ".") + "==" },
        segments("stray bits in the signature") { parts in
            // 64 bytes leave four bits of the last letter, which are zero.
            let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
            let last = letters.firstIndex(of: parts[2].last ?? "A") ?? 0
            return parts[0] + "." + parts[1] + "." + parts[2].dropLast() + String(letters[last + 1])
        },
        segments("ordinary Base64 letters") { parts in
            parts[0] + "." + parts[1] + "." + "+" + parts[2].dropFirst()
        },
        segments("white space inside") { $0[0] + ". " + $0[1] + "." + $0[2] },
        segments("a letter that looks the same") { "\u{0435}" + $0.joined(separator: ".").dropFirst() },
        segments("signature cut short") { $0[0] + "." + $0[1] + "." + $0[2].dropLast(4) },
        segments("signature with more behind") { $0[0] + "." + $0[1] + "." + $0[2] + "AAAA" },
        segments("signature of zeros") { $0[0] + "." + $0[1] + "." + String(repeating: "A", count: 86) },
        segments("a megabyte of claims") {
            $0[0] + "." + String(repeating: "A", count: 1 << 20) + "." + $0[2]
        },
        segments("as JSON") { #"{"protected":"\#($0[0])","payload":"\#($0[1])","signature":"\#($0[2])"}"# },
        Forgery("the signature's other form") { forge in
            // S plus the group's order (RFC 8032, 5.1.7: S must be below it).
            let parts = Forge.segments(of: forge.good)
            var bytes = Base64URL.decoded(Array(parts[2].utf8)) ?? []
            let order: [UInt8] =
                [
                    0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14,
                ] + [UInt8](repeating: 0, count: 15) + [0x10]
            var carry = 0
            for position in 0..<32 {
                let sum = Int(bytes[32 + position]) + Int(order[position]) + carry
                bytes[32 + position] = UInt8(sum & 255)
                carry = sum >> 8
            }
            return parts[0] + "." + parts[1] + "." + Base64URL.text(bytes)
        },
        Forgery("claims changed, signature kept") { forge in
            let claims = try forge.changed { members, _ in members["sub"] = .string(UserID.random().description) }
            let parts = Forge.segments(of: forge.good)
            return parts[0] + "." + Base64URL.text(Array(claims.utf8)) + "." + parts[2]
        },
    ]

    private static let purposes: [Forgery] = [
        claims("no iss") { members, _ in members["iss"] = nil },
        claims("another iss") { members, _ in members["iss"] = "urn:pyairtable-ai:" },
        claims("iss as a list") { members, _ in members["iss"] = ["urn:pyairtable-ai"] },
        claims("no aud") { members, _ in members["aud"] = nil },
        claims("aud of MCP") { members, _ in members["aud"] = "urn:pyairtable-ai:mcp" },
        claims("aud as a list") { members, _ in members["aud"] = ["urn:pyairtable-ai:api"] },
        claims("aud in other case") { members, _ in members["aud"] = "URN:pyairtable-ai:api" },
        claims("no sub") { members, _ in members["sub"] = nil },
        claims("another user") { members, _ in members["sub"] = .string(UserID.random().description) },
        claims("sub of another kind") { members, _ in members["sub"] = .string(KeyID.random().description) },
        claims("no tid") { members, _ in members["tid"] = nil },
        claims("another tenant") { members, _ in members["tid"] = .string(TenantID.random().description) },
        claims("no sid") { members, _ in members["sid"] = nil },
        claims("a session of nobody") { members, _ in members["sid"] = .string(SessionID.random().description) },
        claims("sid SQL") { members, _ in members["sid"] = "ses' OR '1'='1" },
        claims("no client_id") { members, _ in members["client_id"] = nil },
        claims("no jti") { members, _ in members["jti"] = nil },
        claims("jti empty") { members, _ in members["jti"] = "" },
        claims("jti a number") { members, _ in members["jti"] = 1 },
    ]

    private static let times: [Forgery] = [
        claims("no exp") { members, _ in members["exp"] = nil },
        claims("exp null") { members, _ in members["exp"] = .null },
        claims("exp true") { members, _ in members["exp"] = true },
        claims("exp text") { members, now in members["exp"] = .string("\(now + 60)") },
        claims("exp in the past") { members, now in
            members["iat"] = .number(JSONNumber(now - 600))
            members["exp"] = .number(JSONNumber(now - 1))
        },
        claims("exp zero") { members, _ in members["exp"] = 0 },
        claims("exp negative") { members, _ in members["exp"] = -1 },
        claims("exp in the far future") { members, _ in members["exp"] = 99_999_999_999 },
        claims("exp beyond 64 bits") { members, _ in
            members["exp"] = JSONNumber(literal: "18446744073709551617").map { .number($0) }
        },
        body("exp a fraction") { $0.replacing(#/"exp":(\d+)/#) { "\"exp\":\($0.output.1).0" } },
        body("exp with a power") { $0.replacing(#/"exp":(\d+)/#) { "\"exp\":\($0.output.1)e0" } },
        body("exp infinite") { $0.replacing(#/"exp":(\d+)/#) { _ in "\"exp\":1e999" } },
        body("exp of a thousand digits") {
            $0.replacing(#/"exp":(\d+)/#) { _ in "\"exp\":" + String(repeating: "9", count: 1_000) }
        },
        body("exp twice") { $0.replacing(#/"exp":(\d+)/#) { "\"exp\":1,\"exp\":\($0.output.1)" } },
        claims("no iat") { members, _ in members["iat"] = nil },
        claims("iat text") { members, now in members["iat"] = .string("\(now)") },
        claims("iat long ago") { members, now in members["iat"] = .number(JSONNumber(now - 900)) },
        claims("iat after exp") { members, now in
            members["iat"] = .number(JSONNumber(now + 20))
            members["exp"] = .number(JSONNumber(now + 10))
        },
        claims("iat in the future") { members, now in
            members["iat"] = .number(JSONNumber(now + 120))
            members["exp"] = .number(JSONNumber(now + 180))
        },
        claims("nbf in the future") { members, now in members["nbf"] = .number(JSONNumber(now + 120)) },
        claims("nbf text") { members, _ in members["nbf"] = "0" },
        claims("nbf null") { members, _ in members["nbf"] = .null },
    ]

    private static let shapes: [Forgery] = [
        body("no object") { "[\($0)]" },
        body("nothing") { _ in "" },
        body("text") { _ in "\"admin\"" },
        body("more behind") { $0 + "{}" },
        body("sub twice") { $0.dropLast() + #","sub":"usrAAAAAAAAAAAAAA"}"# },
        body("not UTF-8") { $0.dropLast() + #","x":"\#u{FFFD}""# },
        body("comment") { "/* */" + $0 },
        body("a lone surrogate") { $0.dropLast() + #","x":"\ud800"}"# },
        body("deep") {
            $0.dropLast() + #","x":"# + String(repeating: "[", count: 90) + String(repeating: "]", count: 90) + "}"
        },
    ]

    private static let keys: [Forgery] = [
        Forgery("another key under its own kid") { forge in
            let other = TokenSigner()
            let header = forge.goodHeader.replacing(forge.kid, with: other.id)
            return try forge.signed(header, forge.goodClaims, by: other)
        },
        Forgery("another key under our kid") { try $0.signed($0.goodHeader, $0.goodClaims, by: TokenSigner()) },
        Forgery("the signature of another token") { forge in
            let other = try Forge.segments(of: forge.signed(forge.goodHeader, "{}"))
            let parts = Forge.segments(of: forge.good)
            return parts[0] + "." + parts[1] + "." + other[2]
        },
    ]
}
