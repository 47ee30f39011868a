import Access
import Domain
import HTTPTypes
import HummingbirdTesting
import TestSupport
import Testing

@testable import Gateway

/// Keys of one user of each role, and of another tenant's owner.
struct PeopleCast: Sendable {
    let fixture: GatewayFixture
    let users: [Role: User]
    let keys: [Role: String]
    let stranger: String

    func id(_ role: Role) -> UserID { users[role]!.id }
}

/// Runs `body` with a server that has users of all roles, each with a key of all their rights.
func withPeople(
    _ kind: DatabaseKind = .sqlite,
    _ body: @escaping @Sendable (PeopleCast, any TestClientProtocol) async throws -> Void
) async throws {
    try await withGateway(kind) { fixture in
        var users: [Role: User] = [:]
        var keys: [Role: String] = [:]
        for role in Role.allCases {
            let user = try await fixture.access.createUser(
                name: "\(role.rawValue) two",
                email: "\(role.rawValue)@example.com",
                role: role,
                context: fixture.owner
            )
            users[role] = user
            let scopes = role.permissions.isEmpty ? [.search] : role.permissions
            let draft = APIKeyDraft(name: role.rawValue, scopes: scopes, owner: user.id)
            keys[role] = try await fixture.access.createKey(draft, context: fixture.owner).text
        }
        let other = try await fixture.access.createTenant(name: "Other", ownerName: "Eve", context: fixture.owner)
        let cast = PeopleCast(fixture: fixture, users: users, keys: keys, stranger: other.key.text)
        try await fixture.server().publicApplication.test(.router) { client in try await body(cast, client) }
    }
}
