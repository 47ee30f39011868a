public import Domain

/// Writes records in the API's shape, `{"id","createdTime","fields"}`, straight to bytes.
///
/// The hot path of every list: no tree of values between the cells and the text. Made once for a page.
public struct RecordJSON: Sendable {
    private let columns: [Column]
    private let address: AttachmentAddress?
    private let texts: (format: CellTexts, links: LinkTexts)?

    private struct Column: Sendable {
        let field: Field
        /// In the answer's `fields`.
        let key: String
    }

    /// - Parameters:
    ///   - fields: those that are shown, in this order.
    ///   - byFieldID: keys are identifiers, not names.
    ///   - address: of attachments; without one they have none.
    public init(fields: [Field], byFieldID: Bool = false, address: AttachmentAddress? = nil) {
        texts = nil
        self.address = address
        columns = fields.map { Column(field: $0, key: byFieldID ? $0.id.description : $0.name) }
    }

    /// Cells as the texts that people read.
    ///
    /// - Parameter links: texts of the records that the cells name.
    package init(fields: [Field], byFieldID: Bool = false, texts: CellTexts, links: LinkTexts) {
        self.texts = (texts, links)
        address = nil
        columns = fields.map { Column(field: $0, key: byFieldID ? $0.id.description : $0.name) }
    }

    /// - Parameter more: adds members beside `fields`.
    public func write(_ record: Record, to writer: inout JSONWriter, more: (inout JSONWriter) -> Void = { _ in }) {
        writer.beginObject()
        writer.key("id")
        writer.string(record.id.description)
        writer.key("createdTime")
        writer.string(CellCodec.timestamp(record.createdTime))
        writer.key("fields")
        writer.beginObject()
        for column in columns {
            guard let value = record.cells[column.field.id] else { continue }
            write(value, column, to: &writer)
        }
        writer.endObject()
        more(&writer)
        writer.endObject()
    }

    /// A cell with its key; nothing for one that has nothing to show, such as a choice that was deleted.
    private func write(_ value: CellValue, _ column: Column, to writer: inout JSONWriter) {
        if let texts {
            let text = texts.format.text(of: value, field: column.field) { texts.links[$0] }
            if text.isEmpty { return }
            writer.key(column.key)
            writer.string(text)
            return
        }
        switch value {
        case .text(let text):
            writer.key(column.key)
            writer.string(text)
        case .number(let number) where number.isFinite:
            writer.key(column.key)
            writer.double(number)
        case .checked:
            writer.key(column.key)
            writer.bool(true)
        case .choice(let id):
            guard let name = column.field.options.choiceName(id) else { return }
            writer.key(column.key)
            writer.string(name)
        case .links(let ids):
            writer.key(column.key)
            writer.beginArray()
            for id in ids { writer.string(id.description) }
            writer.endArray()
        default:
            // The rest is rarer; what it looks like stands in one place.
            let json = CellCodec.json(of: value, field: column.field, address: address)
            if !json.isNull { writer.member(column.key, json) }
        }
    }
}
