import Access
public import Chat
public import LLM
package import Search
import Tools

/// The chat side of the object graph: what answers, and by which models.
public struct ChatServices: Sendable {
    /// Its `run()` is a member of the service group.
    public let chat: ChatService
    public let catalog: ModelCatalog
    public let ledger: TokenLedger
    /// Answers without a model; one for all, since it remembers the vectors of words.
    package let extractor: AnswerExtractor
}

extension Services {
    /// Wires chat over the search side.
    ///
    /// - Throws: `ConfigurationError` and `ModelError` for a scripted model that can't be read; errors of the database.
    public func openChat(_ search: SearchServices) async throws -> ChatServices {
        let catalog = try modelCatalog(providers: try search.upstreams.providers(logger: logger))
        let ledger = try await tokenLedger()
        let traffic = RunTrafficStore(database: database)
        let orchestrator = Orchestrator(
            // Until a person approves what it proposes, a conversation only reads.
            tools: ReadOnlyTools(search.audited(by: "chat", self)),
            ledger: ledger,
            traffic: traffic,
            logger: logger
        )
        let extractor = AnswerExtractor(search: search.search)
        let chat = ChatService(
            database: database,
            access: access,
            airtable: airtable,
            search: search.search,
            extractor: extractor,
            performer: OrchestratorPerformer(orchestrator: orchestrator, catalog: catalog, traffic: traffic),
            logger: logger
        )
        return ChatServices(chat: chat, catalog: catalog, ledger: ledger, extractor: extractor)
    }
}
