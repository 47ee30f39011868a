import Access
import Airtable
import Domain
import Search

/// Turns what a model cites into citations that are true: the record is read again, with the asker's rights at that
/// moment, and the quote is taken from its cell.
struct CitationResolver: Sendable {
    /// Characters of a quote: a sentence or two.
    static let quoteCharacters = 300
    /// Links of a cell that are named in its text.
    static let linksShown = 100

    let airtable: AirtableService
    let evidence: Evidence
    let context: RequestContext

    /// What one reference stands for.
    enum Resolution: Sendable, Hashable {
        /// The marker is still to be given. `isFieldDropped`: the field named was not one of the record's.
        case found(Citation, isFieldDropped: Bool)
        /// Not in the evidence, gone, or not for this asker.
        case unknown
    }

    /// - Parameter sentence: of the answer, in front of the reference.
    func resolve(_ reference: CitationReader.Reference, sentence: String) async throws -> Resolution {
        guard let reads else { return .unknown }
        for place in evidence.places(of: reference.record) {
            for id in try await tables(of: place, reads) {
                guard let (table, record) = try await read(reference.record, in: id, reads) else { continue }
                return try await resolution(reference, record, table, sentence: sentence, reads)
            }
        }
        return .unknown
    }

    /// Who may search sees what a hit shows; who may read records sees those.
    private var reads: GatedReads? {
        let permission = [Permission.recordsRead, .search].first { context.principal.permissions.contains($0) }
        return permission.map { airtable.reads(by: $0) }
    }

    private func tables(of place: EvidencePlace, _ reads: GatedReads) async throws -> [TableID] {
        guard place.isLinked else { return [place.table] }
        guard let table = try await Self.ifVisible({ try await reads.table(id: place.table, context: context) }) else {
            return []
        }
        return table.fields.compactMap(\.options.linkedTable)
    }

    private func read(_ id: RecordID, in table: TableID, _ reads: GatedReads) async throws -> (Table, Record)? {
        try await Self.ifVisible {
            let table = try await reads.table(id: table, context: context)
            return (table, try await reads.record(id, in: table.id, context: context))
        }
    }

    private static func ifVisible<T>(_ body: () async throws -> T) async throws -> T? {
        do {
            return try await body()
        } catch let error as AirtableError where [.notFound, .corrupt].contains(error.kind) {
            // Gone, hidden or damaged: for this asker there is nothing to cite.
            return nil
        } catch is AccessError {
            // The key has died, or lost the permission, since the run began.
            return nil
        }
    }

    private func resolution(
        _ reference: CitationReader.Reference,
        _ record: Record,
        _ table: Table,
        sentence: String,
        _ reads: GatedReads
    ) async throws -> Resolution {
        let fit = SentenceFit(sentence)
        let named = reference.field.flatMap { table.field(id: $0) }
        var texts: [(field: Field, text: String)] = []
        for field in named.map({ [$0] }) ?? table.fields {
            guard let value = record.cells[field.id] else { continue }
            let text = try await self.text(of: value, field, reads)
            if text.contains(where: { !$0.isWhitespace }) { texts.append((field, text)) }
        }
        let primary = texts.first { $0.field.id == table.primaryField } ?? texts.first
        guard var best = primary else { return .unknown }
        var score = fit.score(best.text)
        for candidate in texts where candidate.field.id != best.field.id {
            // The field's name helps a value that fits; it is nothing by itself.
            let value = fit.score(candidate.text)
            let total = value > 0 ? value + fit.score(candidate.field.name) : 0
            if total > score { (best, score) = (candidate, total) }
        }
        let quote =
            knownQuote(record.id, best.field.id, best.text)
            ?? fit.bestSentence(of: best.text, characters: Self.quoteCharacters)
        let citation = Citation(
            marker: "",
            baseID: table.base,
            tableID: table.id,
            recordID: record.id,
            fieldID: best.field.id,
            quote: quote
        )
        return .found(citation, isFieldDropped: reference.field != nil && named == nil)
    }

    /// What an extractor has quoted of the cell, if it stands there as the API gives it.
    private func knownQuote(_ record: RecordID, _ field: FieldID, _ text: String) -> String? {
        let quote = evidence.quote(of: CitationReader.Reference(record: record, field: field))
        return quote.flatMap { !$0.isEmpty && text.contains($0) ? $0 : nil }
    }

    /// A cell's text as the API gives it, so that a quote stands in it verbatim; links by the names of their records.
    private func text(of value: CellValue, _ field: Field, _ reads: GatedReads) async throws -> String {
        if case .links(let ids) = value, let other = field.options.linkedTable {
            let shown = Array(ids.prefix(Self.linksShown))
            let names = try await Self.ifVisible {
                try await reads.primaryValues(of: shown, in: other, context: context)
            }
            return shown.compactMap { names?[$0] }.joined(separator: ", ")
        }
        switch value {
        // Objects in the API: quoted as people read them.
        case .collaborator, .collaborators, .attachments, .barcode, .button, .aiText, .computed(.list):
            return CellCodec.displayText(of: value, field: field) { _ in nil }
        default: break
        }
        switch CellCodec.json(of: value, field: field) {
        case .string(let text): return text
        case .array(let values): return values.compactMap(\.stringValue).joined(separator: ", ")
        case let other: return other.text
        }
    }
}
