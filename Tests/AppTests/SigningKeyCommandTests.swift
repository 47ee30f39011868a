import Access
import Domain
import Foundation
import TestSupport
import Testing

@testable import App

@Suite("key rotate-signing, and the settings of sessions")
struct SigningKeyCommandTests {
    @Test("TOK-08: replaces the key that signs access tokens, planned or at once")
    func rotate() async throws {
        try await withTemporaryDirectory { directory in
            let options = ["--data", directory.path + "/data", "--json"]
            func rotate(_ flags: [String] = []) async throws -> JSONValue {
                let run = try await Binary.run(["key", "rotate-signing"] + flags + options)
                #expect(run.status == 0, "\(run.errors)")
                return try #require(try run.json().first)
            }
            let (first, second) = (try await rotate(), try await rotate())
            let compromised = try await rotate(["--compromised"])
            let keys = Set([first["key"], second["key"], compromised["key"]])
            #expect(keys.count == 3 && !keys.contains(nil))
            let (one, two) = (first["activeTime"]?.stringValue, second["activeTime"]?.stringValue)
            #expect(try #require(one) < #require(two))
        }
    }

    private func settings(_ environment: [String: String]) throws -> SignInSettings {
        try AppConfiguration.load(environment: environment.merging(["PYAIRTABLE_DATA": "none"]) { given, _ in given })
            .tokens
    }

    @Test("TOK-05: issuer and audience follow the public address, unless they are named")
    func names() throws {
        let plain = try settings([:]).values
        #expect(plain.issuer == "urn:pyairtable-ai")
        #expect(plain.audience == "urn:pyairtable-ai:api")
        let address = "https://airtable.example.org"
        let open = try settings(["PYAIRTABLE_PUBLIC_URL": address]).values
        #expect(open.issuer == address)
        #expect(open.audience == address + "/api")
        let named = try settings(["PYAIRTABLE_PUBLIC_URL": address, "PYAIRTABLE_TOKEN_ISSUER": "urn:us"]).values
        #expect(named.issuer == "urn:us")
        #expect(throws: ConfigurationError.self) { try settings(["PYAIRTABLE_TOKEN_AUDIENCE": "two words"]) }
    }

    @Test(
        "REF-04, TOK-04: lives can be made shorter and not longer",
        arguments: [("ACCESS_TOKEN_MINUTES", 15), ("SESSION_DAYS", 30), ("SESSION_IDLE_DAYS", 7)]
    )
    func lives(_ setting: (name: String, most: Int)) throws {
        let name = "PYAIRTABLE_" + setting.name
        let shorter = try AppConfiguration.load(environment: ["PYAIRTABLE_DATA": "none", name: "1"])
        #expect(shorter.shownValues.first { $0.setting.name == setting.name }?.value == "1")
        for value in ["0", "-1", "\(setting.most + 1)", "x"] {
            #expect(throws: ConfigurationError.self, "\(value)") { try settings([name: value]) }
        }
    }
}
