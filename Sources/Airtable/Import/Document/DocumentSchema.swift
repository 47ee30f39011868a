import Domain

/// The tables of a base document, as drafts with their identifiers.
///
/// Where those are taken already, in whatever state, the whole document gets new ones: every place that names a base's table,
/// field or view names the new one, in formulas too. Records keep theirs, which are their table's own.
struct DocumentSchema {
    let base: BaseID
    let name: String
    /// By line of the document.
    private(set) var tables: [(line: Int, json: JSONValue)] = []

    init(base: BaseID, name: String) {
        self.base = base
        self.name = name
    }

    mutating func add(_ table: JSONValue, line: Int) { tables.append((line, table)) }

    /// Of all parts of the base.
    struct Identifiers {
        var tables: [TableID] = []
        var fields: [FieldID] = []
        var views: [ViewID] = []
    }

    var identifiers: Identifiers {
        var ids = Identifiers()
        for table in tables {
            func all<Kind>(_ list: String) -> [Identifier<Kind>] {
                (table.json[list]?.arrayValue ?? []).compactMap { $0["id"]?.stringValue.flatMap { Identifier($0) } }
            }
            ids.tables += (table.json["id"]?.stringValue.flatMap { TableID($0) }).map { [$0] } ?? []
            ids.fields += all("fields")
            ids.views += all("views")
        }
        return ids
    }

    /// A new identifier for each part. The view that a table began with has that of its table.
    func renaming() -> [String: String] {
        let ids = identifiers
        var names: [String: String] = [:]
        for id in ids.fields { names[id.description] = FieldID.random().description }
        for id in ids.views { names[id.description] = ViewID.random().description }
        for id in ids.tables {
            let new = TableID.random()
            names[id.description] = new.description
            names[TableView(firstOf: id).id.description] = TableView(firstOf: new).id.description
        }
        return names
    }

    /// The views of each table whose first view is not all it has.
    func views(
        _ names: [String: String],
        malformed: (Int, String) -> ImportError
    ) throws(ImportError) -> [TableID: [TableView]] {
        var found: [TableID: [TableView]] = [:]
        for table in tables {
            let json = names.isEmpty ? table.json : table.json.renaming(names)
            guard let id = json["id"]?.stringValue.flatMap({ TableID($0) }) else { continue }
            do throws(AirtableError) {
                let views = try DocumentViews.views(json, of: id)
                if !views.isEmpty, views != [TableView(firstOf: id)] { found[id] = views }
            } catch { throw malformed(table.line, error.message) }
        }
        return found
    }

    /// - Parameter names: new identifiers by those of the document; empty when they stay.
    /// - Throws: of the line of a table.
    func drafts(_ names: [String: String], malformed: (Int, String) -> ImportError) throws(ImportError) -> [TableDraft]
    {
        let renamed = tables.map { (line: $0.line, json: names.isEmpty ? $0.json : $0.json.renaming(names)) }
        var fieldNames: [String: String] = [:]
        for table in renamed {
            for field in table.json["fields"]?.arrayValue ?? [] {
                if let id = field["id"]?.stringValue { fieldNames[id] = field["name"]?.stringValue }
            }
        }
        let tableIDs = Set(renamed.compactMap { $0.json["id"]?.stringValue })
        var drafts: [TableDraft] = []
        for table in renamed {
            do throws(AirtableError) {
                drafts.append(try Self.draft(table.json, tableIDs, fieldNames))
            } catch { throw malformed(table.line, error.message) }
        }
        return drafts
    }

    private static func draft(
        _ json: JSONValue,
        _ tables: Set<String>,
        _ fieldNames: [String: String]
    ) throws(AirtableError) -> TableDraft {
        guard let id = json["id"]?.stringValue.flatMap({ TableID($0) }), let name = json["name"]?.stringValue,
            let primary = json["primaryFieldId"]?.stringValue, let fields = json["fields"]?.arrayValue
        else { throw AirtableError(.invalidRequest, "expected a table with id, name, primaryFieldId and fields") }
        var drafts: [FieldDraft] = []
        for json in fields {
            if let draft = try field(json, tables, fieldNames) { drafts.append(draft) }
        }
        var draft = TableDraft(
            name: name,
            description: json["description"]?.stringValue,
            fields: drafts,
            primaryField: fieldNames[primary]
        )
        draft.id = id
        return draft
    }

    /// Nil for a link to a table that is not in the document, because whoever exported it may not see that.
    private static func field(
        _ json: JSONValue,
        _ tables: Set<String>,
        _ names: [String: String]
    ) throws(AirtableError) -> FieldDraft? {
        var draft = try FieldDraft(wire: json)
        guard let id = json["id"]?.stringValue.flatMap({ FieldID($0) }) else {
            throw AirtableError(.invalidRequest, "field \"\(draft.name.cut(to: 255))\" has no identifier")
        }
        draft.id = id
        let options = json["options"]
        if draft.type == .multipleRecordLinks {
            guard let target = draft.linkedTable, tables.contains(target) else { return nil }
            draft.inverseName = options?["inverseLinkFieldId"]?.stringValue.flatMap { names[$0] }
        }
        let references = [draft.recordLink, draft.fieldInLinkedTable].compactMap { $0 }
        draft.isBroken = options?["isValid"] == false || references.contains { names[$0] == nil }
        if draft.type == .lastModifiedTime || draft.type == .lastModifiedBy {
            draft.watchedFields = draft.watchedFields?.filter { names[$0] != nil }
        }
        return draft
    }
}

extension JSONValue {
    /// With every text that is a key of `names`, or holds one as a formula does, changed.
    fileprivate func renaming(_ names: [String: String]) -> JSONValue {
        switch self {
        case .string(let text): .string(text.renaming(names))
        case .array(let elements): .array(elements.map { $0.renaming(names) })
        case .object(let members): .object(JSONObject(members.map { (key: $0.key, value: $0.value.renaming(names)) }))
        default: self
        }
    }
}

extension String {
    /// Identifiers are three letters of their kind and fourteen more; words of prose are not in `names`.
    fileprivate func renaming(_ names: [String: String]) -> String {
        guard utf8.count >= 17 else { return self }
        if let name = names[self] { return name }
        guard contains("{fld") else { return self }
        var result = ""
        var rest = self[...]
        while let place = rest.firstRange(of: "{fld") {
            result += rest[..<place.lowerBound] + "{"
            rest = rest[place.lowerBound...].dropFirst()
            let id = String(rest.prefix(17))
            result += names[id] ?? id
            rest = rest.dropFirst(17)
        }
        return result + rest
    }
}
