import Airtable
import Domain
import Embeddings
import Foundation
import Logging
import Search
import TestSupport
import Testing

@testable import App

/// A data directory whose model is on a server of OpenAI's dialect, named without its dimensions.
@Suite("Embedding model without dimensions")
struct EmbeddingDimensionsTests {
    /// Gives vectors of `size`, and counts the questions it was asked.
    private static func server(_ size: Guarded<Int>, _ asked: Guarded<[String]>) throws -> RawServer {
        try RawServer { peer in
            while let request = try peer.request() {
                let body = try JSONValue(parsing: request.body)
                let texts = (body["input"]?.arrayValue ?? []).compactMap(\.stringValue)
                asked.update { $0 += texts }
                let data = texts.enumerated().map { position, text -> JSONValue in
                    let values = (0..<size.value).map { JSONValue.number(JSONNumber((text.utf8.count >> $0) & 7 + 1)) }
                    return ["index": .number(JSONNumber(position)), "embedding": .array(values)]
                }
                try peer.reply(200, JSONValue.object(["data": .array(data), "model": "m"]).text)
            }
        }
    }

    private func withServices(
        _ directory: URL,
        _ environment: [String: String],
        _ body: (Services) async throws -> Void
    ) async throws {
        let variables = ["PYAIRTABLE_DATA": directory.path + "/data"].merging(environment) { $1 }
        let services = try await Services.open(
            try AppConfiguration.load(environment: variables),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        try await body(services)
        await services.close()
    }

    private func openSearch(_ services: Services, _ body: (SearchServices) async throws -> Void) async throws {
        let search = try await services.openSearch()
        try await body(search)
        search.models.closeWriters()
        search.pool.close()
    }

    @Test("its server is asked once; then the index knows, also while the server is away or another model is live")
    func durable() async throws {
        try await withTemporaryDirectory { directory in
            let (size, asked) = (Guarded(24), Guarded<[String]>([]))
            let server = try Self.server(size, asked)
            let environment = [
                "OPENAI_BASE_URL": server.url, "PYAIRTABLE_EMBEDDING_MODEL": "openai/nomic",
            ]
            try await withServices(directory, environment) { services in
                let context = try await services.ownerContext(.commandLine, timeout: .seconds(60))
                let fields = [FieldDraft(name: "Name", type: .singleLineText)]
                let base = try await services.airtable.createBase(
                    name: "Base",
                    tables: [TableDraft(name: "Table", fields: fields)],
                    context: context
                )
                let drafts = [RecordDraft(fields: ["Name": "walrus"])]
                _ = try await services.airtable.create(drafts, in: base.tables[0].id, context: context)
                try await openSearch(services) { search in
                    #expect(asked.value == ["dimensions"])
                    #expect(search.embedder.dimension == 24)
                    try await search.indexer.indexAll()
                    let found = try await search.search.search(SearchRequest(query: "walrus"), context: context)
                    #expect(found.hits.map(\.matched.semantic) == [true] && found.degraded == nil)
                    let status = try await search.search.status(context: context)
                    #expect(status.model.dimensions == 24 && status.isCurrent)
                }
            }
            server.stop()
            let before = asked.value.count
            try await withServices(directory, environment) { services in
                let context = try await services.ownerContext(.commandLine, timeout: .seconds(60))
                try await openSearch(services) { search in
                    #expect(search.models.configured == EmbeddingModelName("openai/nomic@24"))
                    let found = try await search.search.search(SearchRequest(query: "walrus"), context: context)
                    #expect(found.degraded == .wordsOnly && found.hits.map(\.matched.lexical) == [true])
                }
            }
            #expect(asked.value.count == before)
            // A model of another name is another model.
            let other = try Self.server(Guarded(16), asked)
            let changed = ["OPENAI_BASE_URL": other.url, "PYAIRTABLE_EMBEDDING_MODEL": "openai/nomic2"]
            try await withServices(directory, changed) { services in
                try await openSearch(services) { search in #expect(search.embedder.dimension == 16) }
            }
            #expect(asked.value.dropFirst(before) == ["dimensions"])
        }
    }

    @Test("a server that can't be asked is an error that names the setting; with the number nobody asks")
    func refused() async throws {
        try await withTemporaryDirectory { directory in
            let server = try RawServer { peer in
                while try peer.request() != nil { try peer.reply(404, #"{"error":{"message":"no such model"}}"#) }
            }
            let address = ["OPENAI_BASE_URL": server.url]
            try await withServices(directory, address.merging(["PYAIRTABLE_EMBEDDING_MODEL": "openai/nomic"]) { $1 }) {
                services in
                do {
                    _ = try await services.openSearch()
                    Issue.record("a number was made up")
                } catch let error as EmbeddingsError {
                    #expect(error.code == .serviceRefused)
                    #expect(error.message.contains("openai/nomic"))
                    #expect(error.hint?.contains("EMBEDDING_MODEL") == true)
                }
            }
            try await withServices(directory, ["PYAIRTABLE_EMBEDDING_MODEL": "openai/nomic"]) { services in
                await #expect(throws: EmbeddingsError.settingMissing("openai/nomic", "OPENAI_BASE_URL")) {
                    try await services.openSearch()
                }
            }
            server.stop()
            let named = address.merging(["PYAIRTABLE_EMBEDDING_MODEL": "openai/nomic@24"]) { $1 }
            try await withServices(directory, named) { services in
                try await openSearch(services) { search in #expect(search.embedder.dimension == 24) }
            }
        }
    }
}
