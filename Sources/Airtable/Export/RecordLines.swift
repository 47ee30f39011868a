import Domain

/// Turns records into the lines of an export.
struct RecordLines {
    private let export: TableExport
    private let fields: [Field]
    private let keys: [String]
    private let texts: CellTexts?
    private let json: RecordJSON
    private var line: CSVLine
    private var bytes: [UInt8] = []
    private let address: AttachmentAddress?

    /// - Throws: `.invalidRequest` for a time zone that there is none of.
    init(_ export: TableExport, fields: [Field], address: AttachmentAddress?) throws(AirtableError) {
        self.address = address
        self.export = export
        self.fields = fields
        keys = fields.map { export.byFieldID ? $0.id.description : $0.name }
        json = RecordJSON(fields: fields, byFieldID: export.byFieldID, address: address)
        line = CSVLine(guardsFormulas: export.guardsFormulas)
        if case .texts(let timeZone, let locale) = export.cells {
            texts = try CellTexts(timeZone: timeZone, locale: locale, address: address)
        } else {
            texts = nil
        }
        guard export.format == .csv else { return }
        for key in keys { line.add(key, isText: true) }
        line.end()
    }

    /// Whether the texts of linked records are needed.
    var showsLinks: Bool { texts != nil }

    mutating func add(_ record: Record, links: LinkTexts) throws {
        switch export.format {
        case .csv: addCSV(record, links)
        case .jsonl: try addJSON(record, links)
        }
    }

    /// What is written since the last time.
    mutating func drain() -> [UInt8] {
        if export.format == .csv { return line.drain() }
        defer { bytes.removeAll(keepingCapacity: true) }
        return bytes
    }

    private mutating func addCSV(_ record: Record, _ links: LinkTexts) {
        for field in fields {
            guard let value = record.cells[field.id] else {
                line.add("", isText: false)
                continue
            }
            line.add(text(of: value, field, links), isText: !value.isPlain || field.hasOddSymbol)
        }
        line.end()
    }

    private func text(of value: CellValue, _ field: Field, _ links: LinkTexts) -> String {
        if let texts { return texts.text(of: value, field: field) { links[$0] } }
        let json = CellCodec.json(of: value, field: field, address: address)
        return json.isNull ? "" : json.stringValue ?? json.text
    }

    private mutating func addJSON(_ record: Record, _ links: LinkTexts) throws {
        var writer = JSONWriter()
        if let texts {
            writer.beginObject()
            writer.member("id", .string(record.id.description))
            writer.member("createdTime", .string(CellCodec.timestamp(record.createdTime)))
            writer.key("fields")
            writer.beginObject()
            for (field, key) in zip(fields, keys) {
                guard let value = record.cells[field.id] else { continue }
                let text = texts.text(of: value, field: field) { links[$0] }
                if !text.isEmpty { writer.member(key, .string(text)) }
            }
            writer.endObject()
            writer.endObject()
        } else {
            json.write(record, to: &writer)
        }
        bytes += try writer.finish()
        bytes.append(UInt8(ascii: "\n"))
    }
}

extension CellValue {
    /// Whether its text can only be a number, a date or a word of ours, whatever people wrote.
    fileprivate var isPlain: Bool {
        switch self {
        case .number, .checked, .date, .dateTime, .computed(.number), .computed(.day), .computed(.moment),
            .computed(.special), .computed(.boolean):
            true
        default: false
        }
    }
}

extension Field {
    /// Whether amounts are written with a sign that says more than which money it is: it is people who choose it.
    fileprivate var hasOddSymbol: Bool {
        let isMoney = { (scalar: Unicode.Scalar) in
            scalar.properties.generalCategory == .currencySymbol || scalar.properties.isAlphabetic
        }
        return !(shown.options.symbol ?? "").unicodeScalars.allSatisfy(isMoney)
    }
}
