import Airtable
import Domain

/// A record that may hold the answer, with its words.
struct AnswerCandidate: Sendable {
    let base: Base
    let table: Table
    let record: Record
    /// What may be seen of it, by group.
    let texts: [GroupText]
    /// How the units of each group fit the question: their cosines, and what they show of the text.
    let units: [FieldGroup: [Unit]]
    /// Stems of all it says, with the names of its fields.
    let stems: Set<String>
    /// Stems of its primary value.
    let primary: Set<String>
    let primaryText: String
    /// The cosine of its nearest unit; 0 when it has no vector.
    let cosine: Double
    /// The same with the question put under the name of each long field; see `AnswerExtractor.placed(_:_:_:)`.
    var placedCosine: Double

    struct Unit: Sendable {
        let key: UnitKey
        let cosine: Float
        let range: Range<Int>
    }

    init(
        base: Base,
        table: Table,
        record: Record,
        texts: [GroupText],
        units: [FieldGroup: [Unit]]
    ) {
        (self.base, self.table, self.record, self.texts, self.units) = (base, table, record, texts, units)
        cosine = Double(units.values.joined().map(\.cosine).max() ?? 0)
        placedCosine = cosine
        var stems: Set<String> = []
        for text in texts { stems.formUnion(WordAnalyzer.words(of: text.prefix + text.text).lazy.map(\.stem)) }
        self.stems = stems
        let line = texts.first { $0.group == .short }.flatMap { text in
            text.lines.first { $0.field == table.primaryField }.map { (text, $0) }
        }
        let name = line.map { text, line in
            String(Self.slice(text.text, line.range).dropFirst(Self.label(line.field, table).count))
        }
        primaryText = name ?? texts.first { $0.group == .long(table.primaryField) }?.text ?? ""
        primary = Set(WordAnalyzer.words(of: primaryText).map(\.stem))
    }

    /// Stems of the table's name and of its fields' names.
    var schemaStems: Set<String> {
        var stems = Set(WordAnalyzer.words(of: table.name).map(\.stem))
        stems.formUnion(WordAnalyzer.words(of: base.name).map(\.stem))
        for field in table.fields { stems.formUnion(WordAnalyzer.words(of: field.name).map(\.stem)) }
        return stems
    }

    /// Stems of the table's name: "which element" asks for one of the table Elements.
    var kind: Set<String> { Set(WordAnalyzer.words(of: table.name).map(\.stem)) }

    /// How the value of a field is labelled in the text of short fields.
    static func label(_ field: FieldID, _ table: Table) -> String { "\(table.field(id: field)?.name ?? ""): " }

    static func slice(_ text: String, _ range: Range<Int>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: text.unicodeScalars.dropFirst(range.lowerBound).prefix(range.count))
        return String(view)
    }
}

/// A piece of a record that can be quoted: one sentence of a long text, or one short cell.
struct AnswerPiece: Sendable {
    let field: Field
    /// Verbatim in the cell as the API gives it; of a link, the names of its records.
    let quote: String
    /// The same for reading: a price with its currency, a number as exact as its field says, without padding.
    let shown: String
    let isCell: Bool
    /// The cosine of the unit it stands in.
    let unitCosine: Float
    let stems: Set<String>
    let fieldStems: Set<String>

    /// As the encoder reads it.
    func text(of candidate: AnswerCandidate) -> String {
        candidate.primaryText.isEmpty || field.id == candidate.table.primaryField
            ? "\(field.name): \(shown)" : "\(candidate.primaryText) · \(field.name): \(shown)"
    }

    /// All pieces of a record, in the order of its texts.
    static func all(of candidate: AnswerCandidate) -> [AnswerPiece] {
        candidate.texts.flatMap { text -> [AnswerPiece] in
            let units = candidate.units[text.group] ?? []
            switch text.group {
            case .short:
                let cosine = units.map(\.cosine).max() ?? -1
                return text.lines.compactMap { line in
                    let label = AnswerCandidate.label(line.field, candidate.table)
                    let value = String(AnswerCandidate.slice(text.text, line.range).dropFirst(label.count))
                    return piece(line.field, value, isCell: true, cosine, candidate)
                }
            case .long(let field):
                return Sentences.ranges(of: text.text).compactMap { range in
                    let near = units.filter { $0.range.overlaps(range) }.map(\.cosine).max() ?? -1
                    return piece(field, AnswerCandidate.slice(text.text, range), isCell: false, near, candidate)
                }
            }
        }
    }

    private static func piece(
        _ field: FieldID,
        _ displayed: String,
        isCell: Bool,
        _ cosine: Float,
        _ candidate: AnswerCandidate
    ) -> AnswerPiece? {
        guard let field = candidate.table.field(id: field), displayed.contains(where: { !$0.isWhitespace }) else {
            return nil
        }
        let shown = self.shown(displayed, field)
        return AnswerPiece(
            field: field,
            quote: candidate.record.cells[field.id].flatMap { quote(of: $0, field) } ?? displayed,
            shown: shown,
            isCell: isCell,
            unitCosine: cosine,
            stems: Set(WordAnalyzer.words(of: shown).map(\.stem)),
            fieldStems: Set(WordAnalyzer.words(of: field.name).map(\.stem))
        )
    }
}

extension AnswerPiece {
    /// Numbers and checkboxes look otherwise in the API than displayed; nil where they do not.
    private static func quote(of value: CellValue, _ field: Field) -> String? {
        switch value {
        case .number, .checked, .computed(.number): CellCodec.json(of: value, field: field).text
        default: nil
        }
    }

    /// Without padding: that other cells of the field have more decimals tells nothing of this one.
    private static func shown(_ displayed: String, _ field: Field) -> String {
        switch field.type {
        case .checkbox: return "yes"
        case .number, .currency, .percent: break
        default: return displayed
        }
        let unit = displayed.hasSuffix("%") ? "%" : ""
        var number = Substring(displayed.dropLast(unit.count))
        guard number.contains("."), !number.contains("e") else { return displayed }
        while number.last == "0" { number.removeLast() }
        if number.last == "." { number.removeLast() }
        return number + unit
    }
}

/// Cuts a text into its sentences.
enum Sentences {
    /// Longer ones are cut between words, so that a quote stays one.
    static let scalarsMax = 400

    /// In Unicode scalars, without the space around them.
    static func ranges(of text: String) -> [Range<Int>] {
        let scalars = Array(text.unicodeScalars)
        var ranges: [Range<Int>] = []
        var start = 0
        for position in scalars.indices {
            let isEnd = position + 1 == scalars.count || ends(scalars, at: position)
            let isTooLong = position + 1 - start >= scalarsMax && scalars[position].properties.isWhitespace
            guard isEnd || isTooLong else { continue }
            if let range = trimmed(start..<(position + 1), scalars) { ranges.append(range) }
            start = position + 1
        }
        return ranges
    }

    private static func ends(_ scalars: [Unicode.Scalar], at position: Int) -> Bool {
        let scalar = scalars[position]
        if scalar == "\n" || scalar == "\u{3002}" { return true }
        guard scalar == "." || scalar == "!" || scalar == "?", scalars[position + 1].properties.isWhitespace else {
            return false
        }
        // An initial or an abbreviation of one letter, as in "M.W. Travers", ends nothing.
        if scalar == ".", position > 0, scalars[position - 1].properties.isUppercase {
            let before = position > 1 ? scalars[position - 2] : " "
            if before.properties.isWhitespace || before == "." { return false }
        }
        let next = scalars[(position + 1)...].first { !$0.properties.isWhitespace }
        return next.map { !$0.properties.isLowercase } ?? true
    }

    private static func trimmed(_ range: Range<Int>, _ scalars: [Unicode.Scalar]) -> Range<Int>? {
        guard let first = range.first(where: { !scalars[$0].properties.isWhitespace }),
            let last = range.last(where: { !scalars[$0].properties.isWhitespace })
        else { return nil }
        return first..<(last + 1)
    }
}
