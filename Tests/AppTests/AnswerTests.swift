import Airtable
import App
import Domain
import Foundation
import Search
import TestSupport
import Testing

@Suite("Answers out of the records, with the real model")
struct AnswerTests {
    private struct Count {
        var right = 0
        var answered = 0
        var all = 0
    }

    @Test("quotes word for word, cites the right record, and says when the records do not answer")
    func questions() async throws {
        try await withTemporaryDirectory { directory in
            let data = try await AnswerData.directory(in: directory)
            try await AnswerData.withServices(data: data) { services, search, context in
                let extractor = AnswerExtractor(search: search.search)
                var answerable: [String: Count] = [:]
                var unanswerable: [String: Count] = [:]
                var cells = Count()
                for question in try AnswerData.questions() {
                    let answer = try await extractor.answer(
                        question.question,
                        bases: [question.base],
                        tables: nil,
                        context: context
                    )
                    #expect(answer.isFound == !answer.quotes.isEmpty)
                    #expect(answer.isFound == (answer.text != ExtractedAnswer.notFoundText))
                    guard !question.answers.isEmpty else {
                        unanswerable[question.split, default: Count()].all += 1
                        if answer.isFound { unanswerable[question.split]?.answered += 1 }
                        continue
                    }
                    let cited = try await Self.cited(answer, services, context)
                    answerable[question.split, default: Count()].all += 1
                    if answer.isFound { answerable[question.split]?.answered += 1 }
                    guard let first = cited.first, question.answers.contains(first.name) else { continue }
                    answerable[question.split]?.right += 1
                    guard let field = question.field else { continue }
                    cells.all += 1
                    if first.field == field { cells.right += 1 }
                }
                // Of 40, 50, 54 and 39, where 37, 39, 48 and 35 are reached; the weights are fitted to these.
                #expect(answerable["given"]?.right ?? 0 >= 37, "\(answerable)")
                #expect(answerable["tune"]?.right ?? 0 >= 38, "\(answerable)")
                #expect(answerable["held"]?.right ?? 0 >= 47, "\(answerable)")
                #expect(answerable["dev"]?.right ?? 0 >= 34, "\(answerable)")
                #expect(answerable["given"]?.all == 40)
                // Of 59, 59 and 49, where 2, none and 2 are reached.
                #expect(unanswerable["tune"]?.answered ?? 99 <= 3, "\(unanswerable)")
                #expect(unanswerable["held"]?.answered ?? 0 <= 1, "\(unanswerable)")
                #expect(unanswerable["dev"]?.answered ?? 99 <= 3, "\(unanswerable)")
                // Of 38 and 50 that the weights were not fitted to, where 29 and 1 are reached.
                #expect(answerable["fresh"]?.right ?? 0 >= 28, "\(answerable)")
                #expect(unanswerable["fresh"]?.answered ?? 0 <= 2, "\(unanswerable)")
                #expect(unanswerable.values.map(\.all).reduce(0, +) >= 210)
                #expect(answerable.values.map(\.all).reduce(0, +) >= 220)
                #expect(cells.right >= cells.all - 2 && cells.all > 25, "\(cells)")
            }
        }
    }

    /// The records and fields of an answer by name. Each quote stands in its cell, and in the text with its place.
    private static func cited(
        _ answer: ExtractedAnswer,
        _ services: Services,
        _ context: RequestContext
    ) async throws -> [(name: String, field: String)] {
        var cited: [(name: String, field: String)] = []
        for quote in answer.quotes {
            let table = try await services.airtable.table(id: quote.tableID, context: context)
            let record = try await services.airtable.record(quote.recordID, in: quote.tableID, context: context)
            let linked = try await names(of: record, table, services, context)
            let field = try #require(table.field(id: quote.fieldID))
            let cell = try #require(record.cells[field.id])
            let place = "[\(quote.recordID)/\(quote.fieldID)]"
            #expect(answer.text.contains(place))
            switch cell {
            case .number, .checked:
                // As the API gives it; in the text without padding.
                #expect(CellCodec.json(of: cell, field: field).text == quote.quote)
                let line = try #require(answer.text.split(separator: "\n").first { $0.contains(place) })
                let number = line.dropLast(place.count + 1)
                #expect(!number.contains(/\.[0-9]*0$/), "\(line)")
            default:
                let text = CellCodec.displayText(of: cell, field: field) { linked[$0] }
                #expect(text.contains(quote.quote), "\(quote.quote) in \(text)")
            }
            let primary = try #require(table.field(id: table.primaryField))
            let name = record.cells[primary.id].map { CellCodec.displayText(of: $0, field: primary) { linked[$0] } }
            cited.append((name ?? "", field.name))
        }
        return cited
    }

    private static func names(
        of record: Record,
        _ table: Table,
        _ services: Services,
        _ context: RequestContext
    ) async throws -> [RecordID: String] {
        var names: [RecordID: String] = [:]
        for field in table.fields {
            guard let other = field.options.linkedTable, case .links(let ids) = record.cells[field.id] else { continue }
            names.merge(try await services.airtable.primaryValues(of: ids, in: other, context: context)) { $1 }
        }
        return names
    }
}
