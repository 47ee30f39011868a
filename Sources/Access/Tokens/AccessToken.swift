import Crypto
package import Domain

/// What an access token says (RFC 9068): who signed in, to which session, and for how long that is believed unasked.
///
/// It carries no rights: those are looked up, so that taking one away takes it away at once. A token for a single resource
/// has scopes beside, which narrow those rights.
package struct AccessClaims: Sendable, Hashable {
    package var issuer: String
    package var audience: String
    package var user: UserID
    package var tenant: TenantID
    package var session: SessionID
    /// What a token for a single resource is for at most; nil for the session's own, which is for the API.
    package var scopes: Set<Permission>?
    /// Which program they signed in with.
    package var client: String
    /// Unique among tokens.
    package var id: String
    /// Seconds since 1970.
    package var issued: Int64
    /// Seconds since 1970; dead from then on.
    package var expires: Int64

    package init(
        issuer: String,
        audience: String,
        user: UserID,
        tenant: TenantID,
        session: SessionID,
        scopes: Set<Permission>? = nil,
        client: String,
        id: String,
        issued: Int64,
        expires: Int64
    ) {
        self.issuer = issuer
        self.audience = audience
        self.user = user
        self.tenant = tenant
        self.session = session
        self.scopes = scopes
        self.client = client
        self.id = id
        self.issued = issued
        self.expires = expires
    }
}

/// The text form of an access token: a JWT in JWS compact form, `header.claims.signature`, each in base64url.
///
/// Of all that JOSE allows there is one form: Ed25519, type `at+jwt`, three members in the header. What is not exactly
/// that is refused before anything else is looked at, so that no header can choose how it is verified (RFC 8725).
package enum AccessToken {
    static let type = "at+jwt"

    package static func text(_ claims: AccessClaims, by signer: TokenSigner) throws -> String {
        let header: JSONValue = [
            "alg": .string(TokenVerifyingKey.algorithm), "kid": .string(signer.id), "typ": .string(type),
        ]
        var body: JSONObject = [
            "iss": .string(claims.issuer), "aud": .string(claims.audience),
            "sub": .string(claims.user.description), "tid": .string(claims.tenant.description),
            "sid": .string(claims.session.description), "client_id": .string(claims.client),
            "jti": .string(claims.id), "iat": .number(JSONNumber(claims.issued)),
            "exp": .number(JSONNumber(claims.expires)),
        ]
        if let scopes = claims.scopes { body["scope"] = .string(TokenScopes.text(scopes)) }
        let claimed = JSONValue.object(body).encoded()
        let signed = Base64URL.encoded(header.encoded()) + [UInt8(ascii: ".")] + Base64URL.encoded(claimed)
        let signature = Base64URL.encoded(try signer.signature(of: signed))
        return String(decoding: signed + [UInt8(ascii: ".")] + signature, as: UTF8.self)
    }
}

/// Why a token opens nothing. For the log; the caller hears the same in every case.
package enum TokenRefusal: String, Error, Sendable, Hashable, CaseIterable {
    case tooLong = "token too long"
    case malformed = "malformed token"
    case header = "token header not ours"
    case unknownKey = "unknown signing key"
    case signature = "wrong signature"
    case claims = "malformed claims"
    case purpose = "token of another purpose"
    case expired = "token expired"
    case notYet = "token from the future"
    case tooLongLived = "token lives too long"
}

/// A token taken apart, of which nothing is believed yet.
package struct UnverifiedToken: Sendable {
    private static let headerLimits = JSONLimits(bytes: 512, depth: 1, elements: 7, stringBytes: 128, numberBytes: 20)

    package let keyID: String
    let signed: [UInt8]
    let signature: [UInt8]
    let body: [UInt8]

    /// Looks at the form and the header only.
    package init(_ text: String) throws(TokenRefusal) {
        guard text.utf8.count <= Limits.accessTokenBytes else { throw .tooLong }
        let bytes = Array(text.utf8)
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Base64URL.decoded(parts[0]), let body = Base64URL.decoded(parts[1]),
            let signature = Base64URL.decoded(parts[2]), signature.count == 64
        else { throw .malformed }
        // What is wrong with it is not told.
        guard case .object(let members)? = try? JSONValue(parsing: header, limits: Self.headerLimits) else {
            throw .malformed
        }
        guard members.count == 3, members["alg"]?.stringValue == TokenVerifyingKey.algorithm,
            members["typ"]?.stringValue == AccessToken.type, let keyID = members["kid"]?.stringValue
        else { throw .header }
        self.keyID = keyID
        self.signed = Array(bytes[..<parts[1].endIndex])
        self.signature = signature
        self.body = body
    }
}

/// Decides whether a token is good: a pure function of the token, a key and the time. For whom it is good is asked at each use,
/// with `TokenAudience`.
package struct TokenVerifier: Sendable, Hashable {
    private static let claimLimits = JSONLimits(
        bytes: Limits.accessTokenBytes,
        depth: 1,
        elements: 40,
        stringBytes: 512,
        numberBytes: 20
    )

    package let issuer: String

    package init(issuer: String) { self.issuer = issuer }

    /// - Parameter key: the one that `token.keyID` names among our own; nil when there is none.
    package func claims(
        of token: UnverifiedToken,
        key: TokenVerifyingKey?,
        at now: Instant
    ) throws(TokenRefusal) -> AccessClaims {
        guard let key, key.id == token.keyID else { throw .unknownKey }
        guard key.accepts(token.signature, of: token.signed) else { throw .signature }
        // What is wrong with it is not told.
        guard case .object(let members)? = try? JSONValue(parsing: token.body, limits: Self.claimLimits) else {
            throw .claims
        }
        guard members["iss"]?.stringValue == issuer, let audience = members["aud"]?.stringValue else { throw .purpose }
        guard let user = members["sub"]?.stringValue.flatMap(UserID.init),
            let tenant = members["tid"]?.stringValue.flatMap(TenantID.init),
            let session = members["sid"]?.stringValue.flatMap(SessionID.init),
            let client = members["client_id"]?.stringValue, let id = members["jti"]?.stringValue, !id.isEmpty,
            let issued = Self.seconds(members["iat"]), let expires = Self.seconds(members["exp"])
        else { throw .claims }
        var scopes: Set<Permission>?
        if let scope = members["scope"] {
            scopes = scope.stringValue.flatMap(TokenScopes.permissions)
            guard scopes != nil else { throw .claims }
        }
        let claims = AccessClaims(
            issuer: issuer,
            audience: audience,
            user: user,
            tenant: tenant,
            session: session,
            scopes: scopes,
            client: client,
            id: id,
            issued: issued,
            expires: expires
        )
        var begins = issued
        if let notBefore = members["nbf"] {
            guard let notBefore = Self.seconds(notBefore) else { throw .claims }
            begins = max(begins, notBefore)
        }
        guard expires > issued, expires - issued <= Limits.accessTokenSeconds else { throw .tooLongLived }
        guard now.wholeSeconds >= begins - Limits.clockSkewSeconds else { throw .notYet }
        guard Self.isAlive(claims, at: now) else { throw .expired }
        return claims
    }

    /// No grace at the end: who refreshes in time loses nothing, and replicas whose clocks differ end it early at worst.
    package static func isAlive(_ claims: AccessClaims, at now: Instant) -> Bool { now.wholeSeconds < claims.expires }

    /// A whole number as we write it: digits only, so neither `1e9` nor `1.0` nor `-1`, and no overflow.
    private static func seconds(_ value: JSONValue?) -> Int64? {
        guard let text = value?.numberValue?.text, text.utf8.count <= 12,
            text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        return Int64(text)
    }
}

extension Instant {
    /// Since 1970, rounded down.
    var wholeSeconds: Int64 {
        let (quotient, remainder) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
