import Database
import Domain
import Foundation
import TestSupport
import Testing

@testable import Access

@Suite("Credential vault")
struct VaultTests {
    private static let airtable = CredentialPurpose(rawValue: "airtable.token")!
    private static let gemini = CredentialPurpose(rawValue: "gemini.key")!
    private static let keyText = Secret("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
    private static let otherText = Secret("f0e1d2c3b4a5968778695a4b3c2d1e0ff0e1d2c3b4a5968778695a4b3c2d1e00")

    private func withVault(
        _ kind: DatabaseKind,
        _ body: @escaping @Sendable (AccessFixture, CredentialVault, RequestContext) async throws -> Void
    ) async throws {
        try await withAccess(kind) { fixture in
            let master = try MasterKey(text: Self.keyText, source: "the test")
            let vault = CredentialVault(database: fixture.database, master: master, now: fixture.clock.now)
            try await body(fixture, vault, fixture.owner())
        }
    }

    @Test("gives back what was stored, for its purpose only", arguments: DatabaseKind.allCases)
    func roundTrip(_ kind: DatabaseKind) async throws {
        try await withVault(kind) { fixture, vault, owner in
            #expect(try await vault.read(Self.airtable, context: owner) == nil)
            try await vault.store(Secret("patABC.def"), for: Self.airtable, context: owner)
            #expect(try await vault.read(Self.airtable, context: owner) == Secret("patABC.def"))
            #expect(try await vault.read(Self.gemini, context: owner) == nil)

            try await vault.store(Secret("second"), for: Self.airtable, context: owner)
            try await vault.store(Secret("other"), for: Self.gemini, context: owner)
            #expect(try await vault.read(Self.airtable, context: owner) == Secret("second"))
            #expect(try await vault.purposes(context: owner).map(\.purpose) == [Self.airtable, Self.gemini])

            try await vault.delete(Self.airtable, context: owner)
            #expect(try await vault.read(Self.airtable, context: owner) == nil)
            await expectRefusal(.notFound) { try await vault.delete(Self.airtable, context: owner) }
        }
    }

    @Test("KEY-05: stores nothing readable, and nothing twice alike", arguments: DatabaseKind.allCases)
    func sealed(_ kind: DatabaseKind) async throws {
        try await withVault(kind) { fixture, vault, owner in
            let plain = Array("a rather recognisable secret".utf8)
            var seen: Set<[UInt8]> = []
            for _ in 0..<4 {
                try await vault.store(Secret(bytes: plain), for: Self.airtable, context: owner)
                let sealed = try await fixture.database.read(of: .everyTenant) { transaction in
                    try transaction.rows("SELECT sealed FROM access_credentials")[0].bytes(0)
                }
                #expect(sealed.count == plain.count + 12 + 16)
                #expect(!String(decoding: sealed, as: UTF8.self).contains("recognisable"))
                seen.insert(sealed)
            }
            #expect(seen.count == 4)
        }
    }

    @Test("KEY-05: a changed, cut or moved row does not open", arguments: DatabaseKind.allCases)
    func tampered(_ kind: DatabaseKind) async throws {
        try await withVault(kind) { fixture, vault, owner in
            try await vault.store(Secret("one"), for: Self.airtable, context: owner)
            let sealed = try await fixture.database.read(of: .everyTenant) { transaction in
                try transaction.rows("SELECT sealed FROM access_credentials")[0].bytes(0)
            }
            func put(_ bytes: [UInt8]) async throws {
                _ = try await fixture.database.write(of: .everyTenant) { transaction in
                    try transaction.execute("UPDATE access_credentials SET sealed = $1", [.bytes(bytes)])
                }
            }
            for position in sealed.indices {
                var changed = sealed
                changed[position] ^= 1
                try await put(changed)
                await expectRefusal(.corrupt) { _ = try await vault.read(Self.airtable, context: owner) }
            }
            for length in [0, 1, 12, 27, sealed.count - 1] {
                try await put(Array(sealed.prefix(length)))
                await expectRefusal(.corrupt) { _ = try await vault.read(Self.airtable, context: owner) }
            }
            try await put(sealed)
            #expect(try await vault.read(Self.airtable, context: owner) == Secret("one"))

            // The same bytes under another purpose.
            _ = try await fixture.database.write(of: .everyTenant) { transaction in
                try transaction.execute("UPDATE access_credentials SET purpose = $1", [.text(Self.gemini.rawValue)])
            }
            await expectRefusal(.corrupt) { _ = try await vault.read(Self.gemini, context: owner) }
        }
    }

    @Test("KEY-05: another tenant's row and data key do not open", arguments: DatabaseKind.allCases)
    func tenants(_ kind: DatabaseKind) async throws {
        try await withVault(kind) { fixture, vault, owner in
            let foreign = try await fixture.secondTenant()
            try await vault.store(Secret("one"), for: Self.airtable, context: owner)
            #expect(try await vault.read(Self.airtable, context: foreign) == nil)
            #expect(try await vault.purposes(context: foreign).isEmpty)
            await expectRefusal(.notFound) { try await vault.delete(Self.airtable, context: foreign) }
            // Somebody with the database copies both rows to the other tenant.
            _ = try await fixture.database.write(of: .everyTenant) { transaction in
                try transaction.execute(
                    """
                    INSERT INTO access_data_keys (tenant, number, master, wrapped, created_time)
                    SELECT $1, number, master, wrapped, created_time FROM access_data_keys
                    """,
                    [.text(foreign.tenant.description)]
                )
                try transaction.execute(
                    """
                    INSERT INTO access_credentials (tenant, purpose, data_key, sealed, created_time, updated_time)
                    SELECT $1, purpose, data_key, sealed, created_time, updated_time FROM access_credentials
                    """,
                    [.text(foreign.tenant.description)]
                )
            }
            await expectRefusal(.corrupt) { _ = try await vault.read(Self.airtable, context: foreign) }
        }
    }

    @Test("writing, listing and deleting need the admin permission", arguments: DatabaseKind.allCases)
    func permission(_ kind: DatabaseKind) async throws {
        try await withVault(kind) { fixture, vault, owner in
            let scopes = Set(Permission.allCases).subtracting([.admin])
            let issued = try await fixture.service.createKey(
                APIKeyDraft(name: "all but admin", scopes: scopes),
                context: owner
            )
            let context = try await fixture.authenticate(issued.text)
            await expectRefusal(.forbidden) { try await vault.store(Secret("x"), for: Self.gemini, context: context) }
            await expectRefusal(.forbidden) { _ = try await vault.purposes(context: context) }
            await expectRefusal(.forbidden) { try await vault.delete(Self.gemini, context: context) }
        }
    }

    @Test("refuses an empty and an oversized credential", arguments: DatabaseKind.allCases)
    func bounds(_ kind: DatabaseKind) async throws {
        try await withVault(kind) { fixture, vault, owner in
            let largest = Secret(bytes: [UInt8](repeating: 7, count: Limits.credentialBytes))
            try await vault.store(largest, for: Self.gemini, context: owner)
            #expect(try await vault.read(Self.gemini, context: owner) == largest)
            for bytes in [[], [UInt8](repeating: 7, count: Limits.credentialBytes + 1)] {
                await expectRefusal(.invalid) {
                    try await vault.store(Secret(bytes: bytes), for: Self.gemini, context: owner)
                }
            }
        }
    }

    @Test("with another master key it says so", arguments: DatabaseKind.allCases)
    func wrongMaster(_ kind: DatabaseKind) async throws {
        try await withVault(kind) { fixture, vault, owner in
            try await vault.store(Secret("one"), for: Self.airtable, context: owner)
            let other = CredentialVault(
                database: fixture.database,
                master: try MasterKey(text: Self.otherText, source: "the test")
            )
            await expectRefusal(.masterKeyMismatch) { _ = try await other.read(Self.airtable, context: owner) }
            await expectRefusal(.masterKeyMismatch) {
                try await other.store(Secret("two"), for: Self.gemini, context: owner)
            }
            #expect(try await vault.read(Self.airtable, context: owner) == Secret("one"))
        }
    }

    @Test("KEY-05: rotation wraps every tenant's data key, all or none", arguments: DatabaseKind.allCases)
    func rotation(_ kind: DatabaseKind) async throws {
        try await withVault(kind) { fixture, vault, owner in
            let foreign = try await fixture.secondTenant()
            try await vault.store(Secret("one"), for: Self.airtable, context: owner)
            try await vault.store(Secret("two"), for: Self.airtable, context: foreign)
            let next = try MasterKey(text: Self.otherText, source: "the test")

            let rotated = try await vault.rotate(to: next)
            #expect(rotated.dataKeys == 2)
            #expect(try await rotated.vault.read(Self.airtable, context: owner) == Secret("one"))
            #expect(try await rotated.vault.read(Self.airtable, context: foreign) == Secret("two"))
            await expectRefusal(.masterKeyMismatch) { _ = try await vault.read(Self.airtable, context: owner) }
            #expect(try await vault.rotate(to: next).dataKeys == 0)

            // One data key is of a third master key: nothing is changed.
            _ = try await fixture.database.write(of: .everyTenant) { transaction in
                try transaction.execute(
                    "UPDATE access_data_keys SET master = 'another' WHERE tenant = $1",
                    [.text(foreign.tenant.description)]
                )
            }
            await expectRefusal(.masterKeyMismatch) {
                _ = try await rotated.vault.rotate(to: MasterKey(text: Self.keyText, source: "the test"))
            }
            #expect(try await rotated.vault.read(Self.airtable, context: owner) == Secret("one"))
        }
    }

    @Test("KEY-05: rotation of the file survives an interruption at any step", arguments: DatabaseKind.allCases)
    func fileRotation(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            try await withTemporaryDirectory { url in
                let directory = url.path
                let owner = try await fixture.owner()
                let old = try MasterKey.load(directory: directory)
                let vault = CredentialVault(database: fixture.database, master: old)
                try await vault.store(Secret("one"), for: Self.airtable, context: owner)

                let rotated = try await vault.rotate(directory: directory)
                #expect(rotated.dataKeys == 1)
                let loaded = try MasterKey.load(directory: directory)
                #expect(loaded.fingerprint != old.fingerprint)
                let reopened = CredentialVault(database: fixture.database, master: loaded)
                #expect(try await reopened.read(Self.airtable, context: owner) == Secret("one"))

                // Crashed before anything was wrapped: the next key is on disk, and is used then.
                let staged = try MasterKeyFile.next(directory).readOrCreate()
                let first = try await reopened.rotate(directory: directory)
                #expect(first.dataKeys == 1)
                #expect(try MasterKey.load(directory: directory).fingerprint == staged.fingerprint)

                // Crashed after everything was wrapped, before the file took its place.
                let second = try MasterKeyFile.next(directory).readOrCreate()
                _ = try await first.vault.rotate(to: second)
                let stale = CredentialVault(
                    database: fixture.database,
                    master: try MasterKey.load(directory: directory)
                )
                await expectRefusal(.masterKeyMismatch) { _ = try await stale.read(Self.airtable, context: owner) }
                let finished = try await stale.rotate(directory: directory)
                #expect(finished.dataKeys == 0)
                #expect(try MasterKey.load(directory: directory).fingerprint == second.fingerprint)
                #expect(try await finished.vault.read(Self.airtable, context: owner) == Secret("one"))
            }
        }
    }

    @Test(
        "a purpose is a short plain word",
        arguments: ["", "A", "airtable token", "a/b", "a\u{0}b", "é", String(repeating: "a", count: 65)]
    )
    func purposes(_ text: String) {
        #expect(CredentialPurpose(rawValue: text) == nil)
    }

    @Test("seals what other stores keep, for one label and tenant only", arguments: DatabaseKind.allCases)
    func sealing(_ kind: DatabaseKind) async throws {
        try await withVault(kind) { fixture, vault, owner in
            let sealed = try await vault.seal(Secret("shared"), for: "webhook.a", tenant: owner.tenant)
            #expect(try await vault.open(sealed, for: "webhook.a", tenant: owner.tenant) == Secret("shared"))
            await expectRefusal(.corrupt) {
                _ = try await vault.open(sealed, for: "webhook.b", tenant: owner.tenant)
            }
            await expectRefusal(.corrupt) {
                _ = try await vault.open(sealed, for: "webhook.a", tenant: .random())
            }
            var bytes = sealed.bytes
            bytes[20] ^= 1
            let changed = SealedSecret(dataKey: sealed.dataKey, bytes: bytes)
            await expectRefusal(.corrupt) {
                _ = try await vault.open(changed, for: "webhook.a", tenant: owner.tenant)
            }
            let rotated = try await vault.rotate(to: MasterKey(text: Self.otherText, source: "the test")).vault
            #expect(try await rotated.open(sealed, for: "webhook.a", tenant: owner.tenant) == Secret("shared"))
        }
    }

    @Test("signs by a key for each purpose, the same before and after a rotation", arguments: DatabaseKind.allCases)
    func signing(_ kind: DatabaseKind) async throws {
        try await withVault(kind) { fixture, vault, owner in
            let key = try await vault.signingKey(for: "links", tenant: owner.tenant)
            let signature = key.signature(of: [1, 2, 3])
            #expect(signature.count == 32 && key.accepts(signature, of: [1, 2, 3]))
            #expect(
                !key.accepts(signature, of: [1, 2, 4]) && !key.accepts(Array(signature.dropLast()), of: [1, 2, 3])
            )
            let other = try await vault.signingKey(for: "others", tenant: owner.tenant)
            #expect(!other.accepts(signature, of: [1, 2, 3]))
            let rotated = try await vault.rotate(to: MasterKey(text: Self.otherText, source: "the test")).vault
            let afterwards = try await rotated.signingKey(for: "links", tenant: owner.tenant)
            #expect(afterwards.accepts(signature, of: [1, 2, 3]))
            // RFC 4231, test case 2.
            let known = SigningKey(Secret("Jefe")).signature(of: Array("what do ya want for nothing?".utf8))
            #expect(known.prefix(4) == [0x5B, 0xDC, 0xC1, 0x46])
        }
    }
}
