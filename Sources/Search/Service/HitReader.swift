import Airtable
import Domain

/// Reads found records back through `Airtable`, so that every hit is checked again, and shows them.
struct HitReader: Sendable {
    /// What is known of a hit before its record is read.
    struct Place: Sendable {
        let ranked: Fusion.Ranked
        let unit: StoredUnit
        let partition: Partition
        let base: Base
        let isSemantic: Bool
    }

    /// Links of one cell in a hit; reading the record gives all.
    static let linksMax = 100

    let reader: RecordReader
    let stems: Set<String>
    /// The only fields that snippets show; nil for all.
    let fields: Set<FieldID>?

    init(airtable: GatedReads, stems: Set<String>, fields: Set<FieldID>? = nil) {
        reader = RecordReader(airtable: airtable)
        self.stems = stems
        self.fields = fields
    }

    /// A score as a hit shows it.
    static func shown(_ score: Float) -> Double { rounded(Double(score), to: 10_000) }

    /// The hits of `places`, in their order; what may not be read, or is gone, is left out.
    func hits(_ places: [Place], context: RequestContext) async throws -> [SearchHit] {
        var found: [RecordID: SearchHit] = [:]
        for (table, places) in Dictionary(grouping: places, by: \.partition.table) {
            guard let shown = try await read(places.map(\.ranked.record), in: table, context: context) else { continue }
            let records = Dictionary(shown.records.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
            for place in places {
                guard let record = records[place.ranked.record] else { continue }
                found[record.id] = hit(place, record, shown)
            }
        }
        return places.compactMap { found[$0.ranked.record] }
    }

    func read(
        _ ids: [RecordID],
        in table: TableID,
        context: RequestContext
    ) async throws -> RecordReader.Shown? {
        do {
            let table = try await reader.airtable.table(id: table, context: context)
            return try await reader.shown(ids, in: table, context: context)
        } catch let error as AirtableError where error.code == .modelNotFound {
            // Deleted since it was indexed.
            return nil
        }
    }

    private func hit(_ place: Place, _ record: Record, _ shown: RecordReader.Shown) -> SearchHit {
        let table = shown.table
        let snippet = snippet(place, record, shown)
        return SearchHit(
            score: Self.shown(place.ranked.score),
            base: place.base.name,
            baseID: place.base.id,
            table: table.name,
            tableID: table.id,
            recordID: record.id,
            fields: CellCodec.fields(of: Self.bounded(record), table: table),
            fieldID: snippet?.field ?? table.primaryField,
            snippet: snippet?.text ?? "",
            highlights: (snippet?.highlights ?? []).map {
                SearchHighlight(fieldID: $0.field, start: $0.range.lowerBound, end: $0.range.upperBound)
            },
            matched: SearchMatch(lexical: place.ranked.lexical > 0, semantic: place.isSemantic)
        )
    }

    /// A record that thousands link to would make one hit larger than all others together.
    private static func bounded(_ record: Record) -> Record {
        var record = record
        for (field, value) in record.cells {
            guard case .links(let ids) = value, ids.count > linksMax else { continue }
            record.cells[field] = .links(Array(ids.prefix(linksMax)))
        }
        return record
    }

    /// From the record as it is now, which may differ from what was indexed a moment ago.
    private func snippet(_ place: Place, _ record: Record, _ shown: RecordReader.Shown) -> Snippet? {
        let texts = shown.texts(of: record).compactMap { $0.showing(fields) }
        guard let text = texts.first(where: { $0.group == place.partition.group }) ?? texts.first else { return nil }
        let whole = 0..<text.text.unicodeScalars.count
        let range = text.group == place.partition.group ? place.unit.range.clamped(to: whole) : whole
        return Snippet(of: text, range: range, stems: stems, primary: shown.table.primaryField)
    }
}
