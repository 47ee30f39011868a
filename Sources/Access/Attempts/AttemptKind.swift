import Crypto
import Domain

/// What is tried, each with rates of its own for one address and for its network.
enum AttemptKind: String, Sendable, CaseIterable {
    /// Signing in, and what else asks for a password.
    case signIn
    case register
    /// Asking for a mail, such as to set a password anew.
    case mail
    /// Showing what came by mail, or an invite.
    case token
    /// Inviting somebody, which may send a mail to whoever has the address.
    case invite

    /// - Returns: nil where the kind has no limit by place.
    func rate(of place: Place) -> AttemptRate {
        switch (self, place) {
        // An office behind one address signs in on Monday morning; successes are given back.
        case (.signIn, .host), (.token, .host): AttemptRate(burst: 30, interval: .seconds(2))
        case (.signIn, .network), (.token, .network): AttemptRate(burst: 150, interval: .milliseconds(500))
        // With registration open this is all that keeps lists of addresses from being tried.
        case (.register, .host): AttemptRate(burst: 5, interval: .seconds(600))
        case (.register, .network): AttemptRate(burst: 20, interval: .seconds(120))
        case (.mail, .host): AttemptRate(burst: 10, interval: .seconds(60))
        case (.mail, .network): AttemptRate(burst: 50, interval: .seconds(15))
        // A department in one go; what sends mails to strangers is no newsletter.
        case (.invite, .host): AttemptRate(burst: 60, interval: .seconds(20))
        case (.invite, .network): AttemptRate(burst: 200, interval: .seconds(5))
        }
    }

    enum Place: String, Sendable, CaseIterable {
        case host, network
    }

    /// Mails that one address gets because somebody asked.
    static let mailsPerAddress = AttemptRate(burst: 3, interval: .seconds(1_200))
}

/// Under what an attempt is counted: a digest, so that the table tells nobody's address.
struct AttemptKey: Sendable, Hashable {
    let bytes: [UInt8]

    private init(_ parts: [[UInt8]]) {
        var hash = SHA256()
        for part in parts {
            hash.update(data: [UInt8(truncatingIfNeeded: part.count >> 8), UInt8(truncatingIfNeeded: part.count)])
            hash.update(data: part)
        }
        bytes = Array(hash.finalize())
    }

    static func place(_ kind: AttemptKind, _ place: AttemptKind.Place, _ client: ClientNetwork) -> Self {
        Self([Array(kind.rawValue.utf8), Array(place.rawValue.utf8), place == .host ? client.host : client.network])
    }

    /// One account, by its address: counted alike whether or not there is one.
    static func subject(_ email: String) -> Self { Self([Array("subject".utf8), Array(email.utf8)]) }

    static func known(_ email: String, _ client: ClientNetwork) -> Self {
        Self([Array("known".utf8), Array(email.utf8), client.network])
    }

    static func mails(to email: String) -> Self { Self([Array("mails".utf8), Array(email.utf8)]) }
}
