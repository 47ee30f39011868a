import Airtable
import Domain

/// Finds what somebody calls by name: an identifier, or the name but for case and space, as it is stored or as results show it.
enum Names {
    static func find<Element>(
        _ wanted: String,
        in elements: some Sequence<Element>,
        id: (Element) -> String,
        name: (Element) -> String
    ) -> Element? {
        let elements = Array(elements)
        if let found = elements.first(where: { id($0) == wanted }) ?? elements.first(where: { name($0) == wanted }) {
            return found
        }
        let key = folded(wanted)
        return elements.first { folded(name($0)) == key }
            ?? elements.first { folded(HiddenText.visible(name($0))) == key }
    }

    private static func folded(_ text: String) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ").lowercased()
    }
}

extension GatedReads {
    /// - Throws: `.modelNotFound`, with what was probably meant.
    func namedBase(_ name: String, _ context: RequestContext) async throws -> Base {
        let bases = try await bases(context: context)
        if let base = Names.find(name, in: bases, id: { $0.id.description }, name: \.name) { return base }
        throw AirtableError(.modelNotFound, Misnamed.message("base", name, among: bases.map(\.name)))
    }

    /// A table and its base.
    ///
    /// - Throws: `.modelNotFound`, with what was probably meant.
    func place(_ table: String, in base: String, _ context: RequestContext) async throws -> (base: Base, table: Table) {
        let base = try await namedBase(base, context)
        let tables = try await tables(in: base.id, context: context)
        if let found = Names.find(table, in: tables, id: { $0.id.description }, name: \.name) { return (base, found) }
        throw AirtableError(
            .modelNotFound,
            Misnamed.message("table", table, in: Misnamed.place("base", base.name), among: tables.map(\.name))
        )
    }

    /// - Throws: `.viewNotFound`, with what was probably meant.
    func namedView(_ name: String, of table: Table, _ context: RequestContext) async throws -> TableView {
        let views = try await views(of: table.id, context: context)
        if let view = Names.find(name, in: views, id: { $0.id.description }, name: \.name) { return view }
        throw AirtableError(
            .viewNotFound,
            Misnamed.message("view", name, in: Misnamed.place("table", table.name), among: views.map(\.name))
        )
    }
}

extension Table {
    /// - Throws: `.unknownFieldName`, with what was probably meant.
    func named(_ name: String) throws -> Field { try named([name])[0] }

    /// In the order of `names`; all that are wrong are told at once.
    func named(_ names: [String]) throws -> [Field] {
        let found = names.map { name in
            (name, Names.find(name, in: fields, id: { $0.id.description }, name: \.name))
        }
        let unknown = found.filter { $0.1 == nil }.map(\.0)
        guard unknown.isEmpty else {
            let place = Misnamed.place("table", self.name)
            let messages = unknown.prefix(10).map {
                Misnamed.message("field", $0, in: place, among: fields.map(\.name))
            }
            throw AirtableError(.unknownFieldName, messages.joined(separator: "\n"))
        }
        return found.compactMap(\.1)
    }

    /// The table with these fields only, in its own order; all of them when none is named.
    func showing(_ names: [String]?) throws -> Table {
        guard let names, !names.isEmpty else { return self }
        let wanted = Set(try named(names).map(\.id))
        var shown = self
        shown.fields.removeAll { !wanted.contains($0.id) }
        return shown
    }
}

extension RecordID {
    /// - Throws: `.invalidRecordID`.
    static func read(_ text: String) throws -> RecordID {
        if let id = RecordID(text) { return id }
        throw AirtableError(
            .invalidRecordID,
            "no record '\(Misnamed.shown(text))'; a record's id is rec and 14 letters or digits",
            hint: "search_records and list_records give ids"
        )
    }
}
