import Domain
import Testing

@testable import Access

@Suite("Access tokens")
struct AccessTokenTests {
    private static let time = Instant(milliseconds: 1_750_000_000_000)
    private static let verifier = TokenVerifier(issuer: "urn:us")
    private static let signer = TokenSigner()

    static func claims(issued: Int64 = 1_750_000_000, life: Int64 = 900) -> AccessClaims {
        AccessClaims(
            issuer: verifier.issuer,
            audience: "urn:us:api",
            user: .random(),
            tenant: .random(),
            session: .random(),
            client: "test",
            id: "token-1",
            issued: issued,
            expires: issued + life
        )
    }

    private func verified(_ text: String, at time: Instant = time) throws -> AccessClaims {
        let token = try UnverifiedToken(text)
        let key = token.keyID == Self.signer.id ? Self.signer.verifyingKey : nil
        return try Self.verifier.claims(of: token, key: key, at: time)
    }

    @Test("what was signed is what is read")
    func roundTrip() throws {
        let claims = Self.claims()
        let text = try AccessToken.text(claims, by: Self.signer)
        #expect(try verified(text) == claims)
        #expect(text.utf8.count < Limits.accessTokenBytes / 2)
    }

    @Test("TOK-04: lives from its issue to its expiry and no moment longer, a skew of clocks before it aside")
    func life() throws {
        let text = try AccessToken.text(Self.claims(), by: Self.signer)
        let skew = Limits.clockSkewSeconds
        #expect(skew <= 60)
        _ = try verified(text, at: Self.time.adding(seconds: -skew))
        _ = try verified(text, at: Self.time.adding(seconds: 899))
        #expect(throws: TokenRefusal.notYet) { try verified(text, at: Self.time.adding(seconds: -skew - 1)) }
        #expect(throws: TokenRefusal.expired) { try verified(text, at: Self.time.adding(seconds: 900)) }
        let long = try AccessToken.text(Self.claims(life: 901), by: Self.signer)
        #expect(throws: TokenRefusal.tooLongLived) { try verified(long) }
        let backwards = try AccessToken.text(Self.claims(life: -1), by: Self.signer)
        #expect(throws: TokenRefusal.tooLongLived) { try verified(backwards) }
    }

    @Test("TOK-05: another issuer's or another audience's token is of another purpose, whatever signed it")
    func purpose() throws {
        for value in ["", "urn:us:mcp", "urn:us ", "URN:US", "urn:us:api/"] {
            var claims = Self.claims()
            claims.issuer = value
            let text = try AccessToken.text(claims, by: Self.signer)
            #expect(throws: TokenRefusal.purpose) { try verified(text) }
            claims = Self.claims()
            claims.audience = value
            #expect(try verified(AccessToken.text(claims, by: Self.signer)).audience == value)
            for audience in [TokenAudience.api, .resource(nil), .resource(value), .resource("urn:us:api")] {
                #expect(!audience.takes(claims, api: "urn:us:api"))
            }
        }
    }

    @Test("OAU-04: the API takes no token with scopes, and a resource none without, whatever their audience")
    func audiences() {
        var claims = Self.claims()
        #expect(TokenAudience.api.takes(claims, api: "urn:us:api"))
        #expect(!TokenAudience.resource("urn:us:api").takes(claims, api: "urn:us:api"))
        claims.scopes = [.search]
        #expect(!TokenAudience.api.takes(claims, api: "urn:us:api"))
        #expect(TokenAudience.resource("urn:us:api").takes(claims, api: "urn:us:api"))
        #expect(!TokenAudience.resource(nil).takes(claims, api: "urn:us:api"))
        #expect(!TokenAudience.resource("urn:us:api/").takes(claims, api: "urn:us:api"))
    }

    @Test("scopes are read as they were signed, and a token with scopes of nobody's is none")
    func scopes() throws {
        for scopes in [[.search], Set(Permission.allCases)] as [Set<Permission>] {
            var claims = Self.claims()
            claims.scopes = scopes
            #expect(try verified(AccessToken.text(claims, by: Self.signer)) == claims)
        }
        var claims = Self.claims()
        claims.scopes = []
        let none = try AccessToken.text(claims, by: Self.signer)
        #expect(throws: TokenRefusal.claims) { try verified(none) }
        for text in ["", " ", "search ", " search", "search  embed", "search,embed", "Search", "search offline_access"]
        {
            #expect(TokenScopes.permissions(text) == nil)
        }
        #expect(TokenScopes.permissions("search search records:read") == [.search, .recordsRead])
        #expect(TokenScopes.text([.search, .basesRead]) == "bases:read search")
    }

    @Test("TOK-03: a key's identifier is the thumbprint of the key, and only that key verifies under it")
    func keys() throws {
        // RFC 8037, appendix A.3, with the key of A.2.
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
        let bytes = try #require(Base64URL.decoded(Array(x.utf8)))
        let key = try #require(TokenVerifyingKey(bytes: bytes))
        #expect(key.id == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")

        let other = TokenSigner()
        let text = try AccessToken.text(Self.claims(), by: other)
        #expect(throws: TokenRefusal.unknownKey) { try verified(text) }
        let token = try UnverifiedToken(text)
        #expect(throws: TokenRefusal.unknownKey) {
            try Self.verifier.claims(of: token, key: Self.signer.verifyingKey, at: Self.time)
        }
    }

    @Test("signs as RFC 8037 has it")
    func knownAnswer() throws {
        // Appendix A.4: the key of A.1 and its signing input.
        let seed = try #require(Base64URL.decoded(Array("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A".utf8)))
        let signer = try #require(TokenSigner(seed: Secret(bytes: seed)))
        let input = Array("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc".utf8)
        let signature = Base64URL.text(try signer.signature(of: input))
        #expect(
            signature == "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        )
    }

    @Test("TOK-02: a private key shows in no print")
    func redacted() {
        var shown = ""
        dump(Self.signer, to: &shown)
        shown += "\(Self.signer) \(String(reflecting: Self.signer))"
        #expect(!shown.contains(Base64URL.text(Self.signer.seed.revealedBytes)))
        #expect(shown.contains("redacted"))
    }

    @Test("any one byte changed makes it another token's, or none")
    func everyByte() throws {
        let text = Array(try AccessToken.text(Self.claims(), by: Self.signer).utf8)
        for position in text.indices {
            for flip: UInt8 in [1, 0x20] {
                var changed = text
                changed[position] ^= flip
                let altered = String(decoding: changed, as: UTF8.self)
                #expect(throws: TokenRefusal.self, "byte \(position)") { try verified(altered) }
            }
        }
    }

    @Test("the cache of verified tokens never holds more than its capacity")
    func bound() {
        let cache = VerifiedTokens(capacity: 8)
        for number in 0..<100 {
            let digest = VerifiedTokens.digest("\(number)")
            cache.add(.init(claims: Self.claims(), keyID: "k"), for: digest, at: Self.time)
            #expect(cache.count <= 8)
            #expect(cache[digest] != nil)
        }
        // Those that are over make room first.
        let live = VerifiedTokens.digest("live")
        cache.add(.init(claims: Self.claims(life: 1), keyID: "k"), for: VerifiedTokens.digest("over"), at: Self.time)
        cache.add(.init(claims: Self.claims(), keyID: "k"), for: live, at: Self.time)
        let later = Self.time.adding(seconds: 1)
        for number in 0..<3 {
            cache.add(.init(claims: Self.claims(life: 1), keyID: "k"), for: [UInt8(number)], at: later)
        }
        #expect(cache[live] != nil)
    }
}

@Suite("Base64url")
struct Base64URLTests {
    @Test("what is written is read, for every length")
    func roundTrip() {
        var generator = SystemRandomNumberGenerator()
        for count in 0..<200 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let text = Base64URL.encoded(bytes)
            #expect(Base64URL.decoded(text) == bytes)
            #expect(text.allSatisfy { $0 != UInt8(ascii: "=") })
        }
        #expect(Base64URL.text([0xFB, 0xFF, 0xFE]) == "-__-")
    }

    @Test("TOK-06: bytes have one text: padding, stray bits, other letters and lengths are refused")
    func canonical() {
        for text in ["Zg==", "Zg=", "Zh", "Zm9", "Zm9vY", "Z", "Zm+v", "Zm/v", "Zm v", "Zm\nv", " Zm9v", "Zm9v\0", "é"]
        {
            #expect(Base64URL.decoded(Array(text.utf8)) == nil, "\(text)")
        }
        #expect(Base64URL.decoded(Array("Zg".utf8)) == Array("f".utf8))
        #expect(Base64URL.decoded([]) == [])
    }
}
