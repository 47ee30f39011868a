import Domain
import Foundation
import TestSupport
import Testing

@testable import App

@Suite("The hosted service without set-up")
struct HostedSetUpTests {
    private static let token = "patAbCdEfGhIjKlMn.0123456789abcdef0123456789abcdef"

    private func configuration(
        token: String? = token,
        flags: [Setting: String] = [:],
        environment: [String: String] = [:],
        hasData: Bool = false
    ) throws -> AppConfiguration? {
        var environment = environment
        if let token { environment["AIRTABLE_API_KEY"] = token }
        return try AppConfiguration.load(flags: flags, environment: environment)
            .withoutSetUp(environment: environment, home: "/home/nobody-here", isThere: { _ in hasData })
    }

    @Test("each token has a directory of its own, which does not tell it")
    func directories() throws {
        let own = try #require(try configuration())
        #expect(own.dataDirectory.hasPrefix("/home/nobody-here/.local/state/pyairtable-ai/hosted-"))
        #expect(own.databaseURL == "sqlite:\(own.dataDirectory)/pyairtable.sqlite")
        #expect(own.masterKeyFile == own.dataDirectory + "/keys/master")
        for part in [Self.token.prefix(8), Self.token.suffix(8)] { #expect(!own.dataDirectory.contains(part)) }
        #expect(try configuration()?.dataDirectory == own.dataDirectory)
        #expect(try configuration(token: Self.token + "0")?.dataDirectory != own.dataDirectory)
        let elsewhere = ["AIRTABLE_ENDPOINT_URL": "http://127.0.0.1:9"]
        #expect(try configuration(environment: elsewhere)?.dataDirectory != own.dataDirectory)
        let state = try configuration(environment: ["XDG_STATE_HOME": "/var/s"])
        #expect(state?.dataDirectory.hasPrefix("/var/s/pyairtable-ai/hosted-") == true)
    }

    @Test("what is named, or there already, is what is used")
    func named() throws {
        #expect(try configuration(token: nil) == nil)
        #expect(try configuration(hasData: true) == nil)
        #expect(try configuration(flags: [.data: "/srv/data"]) == nil)
        #expect(try configuration(environment: ["PYAIRTABLE_DATA": "/srv/data"]) == nil)
        #expect(try configuration(flags: [.databaseURL: "sqlite:/srv/x"]) == nil)
        let key = try configuration(environment: ["PYAIRTABLE_MASTER_KEY_FILE": "/srv/key"])
        #expect(key?.masterKeyFile == "/srv/key")
    }

    @Test("without an embedding model there is search by words, and a warning; a model that is named must be there")
    func model() throws {
        let named = try configuration(environment: ["PYAIRTABLE_MODEL_DIR": "/srv/none"])
        #expect(named?.embedder == .local)
        let own = try #require(try configuration())
        let isThere = FileManager.default.fileExists(atPath: own.modelDirectory)
        #expect(own.embedder == (isThere ? .local : .hash))
        #expect(own.warnings.contains { $0.contains("embedding model") } == !isThere)
    }
}
