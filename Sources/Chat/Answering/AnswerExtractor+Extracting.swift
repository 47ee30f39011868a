package import Domain
package import Search

extension AnswerExtractor: Extracting {
    package func extract(
        _ question: String,
        bases: [String]?,
        tables: [String]?,
        context: RequestContext
    ) async throws -> Extract {
        let answer = try await self.answer(question, bases: bases, tables: tables, context: context)
        return Extract(
            isFound: answer.isFound,
            text: answer.text,
            quotes: answer.quotes.map {
                Extract.Quote(table: $0.tableID, record: $0.recordID, field: $0.fieldID, text: $0.quote)
            }
        )
    }
}
