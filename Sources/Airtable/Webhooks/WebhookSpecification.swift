public import Domain

/// What of a base's changes a webhook tells, and how much of each.
///
/// Read strictly: a filter that is misread would tell too much, or nothing.
public struct WebhookSpecification: Sendable, Hashable {
    /// As it was given, for showing.
    public let json: JSONValue
    let dataTypes: Set<DataType>
    /// The only table whose records count.
    let table: TableID?
    /// The only view whose records count.
    let view: ViewID?
    let changeTypes: Set<ChangeType>
    let sources: Set<String>?
    let watchedFields: Set<FieldID>?
    let watchedSchemas: Set<FieldID>?
    let cellsIncluded: CellsIncluded
    let includesPreviousCells: Bool
    let includesPreviousDefinitions: Bool

    enum DataType: String, CaseIterable {
        case tableData, tableFields, tableMetadata
    }

    enum ChangeType: String, CaseIterable {
        case add, remove, update
    }

    /// Cells shown beside those that changed.
    enum CellsIncluded: Hashable {
        case none, all
        case fields(Set<FieldID>)
    }

    /// Where a change may come from. All that reaches us comes by the API; the other sources are Airtable's own.
    static let source = "publicApi"
    private static let sourceNames: Set<String> = [
        "client", source, "formSubmission", "formPageSubmission", "automation", "system", "sync", "anonymousUser",
        "unknown",
    ]

    /// - Parameter json: `{"options":{"filters":{…},"includes":{…}}}`.
    /// - Throws: `.invalidRequest`, naming the member.
    public init(_ json: JSONValue) throws(AirtableError) {
        self.json = json
        let root = try Members(json, "specification", ["options"])
        let options = try Members(root.required("options"), root.path("options"), ["filters", "includes"])
        let filters = try Members(
            options.required("filters"),
            options.path("filters"),
            [
                "dataTypes", "recordChangeScope", "changeTypes", "fromSources", "watchDataInFieldIds",
                "watchSchemasOfFieldIds", "sourceOptions",
            ]
        )
        let types: [DataType] = try filters.texts("dataTypes", as: { DataType(rawValue: $0) }) ?? []
        guard !types.isEmpty else { throw Members.invalid(filters.path("dataTypes"), "at least one kind of data") }
        dataTypes = Set(types)
        let scope = try filters.text("recordChangeScope")
        table = scope.flatMap { TableID($0) }
        view = scope.flatMap { ViewID($0) }
        guard scope == nil || table != nil || view != nil else {
            throw Members.invalid(filters.path("recordChangeScope"), "the identifier of a table or a view")
        }
        changeTypes = Set(
            try filters.texts("changeTypes", as: { ChangeType(rawValue: $0) }) ?? ChangeType.allCases
        )
        sources = try filters.texts("fromSources", as: { Self.sourceNames.contains($0) ? $0 : nil }).map { Set($0) }
        watchedFields = try filters.texts("watchDataInFieldIds", as: { FieldID($0) }).map { Set($0) }
        watchedSchemas = try filters.texts("watchSchemasOfFieldIds", as: { FieldID($0) }).map { Set($0) }
        // Filters that only narrow what a source of Airtable's own tells; see `source`.
        if let given = filters.value("sourceOptions"), given.objectValue == nil {
            throw Members.invalid(filters.path("sourceOptions"), "an object")
        }
        let includes = try Members(
            options.value("includes") ?? [:],
            options.path("includes"),
            ["includeCellValuesInFieldIds", "includePreviousCellValues", "includePreviousFieldDefinitions"]
        )
        if includes.value("includeCellValuesInFieldIds") == "all" {
            cellsIncluded = .all
        } else {
            let fields = try includes.texts("includeCellValuesInFieldIds", as: { FieldID($0) })
            cellsIncluded = fields.map { .fields(Set($0)) } ?? .none
        }
        includesPreviousCells = try includes.flag("includePreviousCellValues")
        includesPreviousDefinitions = try includes.flag("includePreviousFieldDefinitions")
    }

    var fieldsNamed: Set<FieldID> {
        var fields = (watchedFields ?? []).union(watchedSchemas ?? [])
        if case .fields(let included) = cellsIncluded { fields.formUnion(included) }
        return fields
    }

    func includes(_ field: FieldID) -> Bool {
        switch cellsIncluded {
        case .none: false
        case .all: true
        case .fields(let fields): fields.contains(field)
        }
    }
}

/// The members of one object of a specification; null is absent.
private struct Members {
    private let object: JSONObject
    private let name: String

    init(_ json: JSONValue, _ name: String, _ known: Set<String>) throws(AirtableError) {
        guard let object = json.objectValue else { throw Self.invalid(name, "an object") }
        if let unknown = object.keys.first(where: { !known.contains($0) }) {
            throw Self.invalid("\(name).\(unknown.cut(to: 64))", "no such member")
        }
        self.object = object
        self.name = name
    }

    func path(_ key: String) -> String { "\(name).\(key)" }

    func value(_ key: String) -> JSONValue? { object[key].flatMap { $0.isNull ? .none : .some($0) } }

    func required(_ key: String) throws(AirtableError) -> JSONValue {
        guard let value = value(key) else { throw Self.invalid(path(key), "an object") }
        return value
    }

    func text(_ key: String) throws(AirtableError) -> String? {
        guard let value = value(key) else { return nil }
        guard let text = value.stringValue else { throw Self.invalid(path(key), "a string") }
        return text
    }

    func flag(_ key: String) throws(AirtableError) -> Bool {
        guard let value = value(key) else { return false }
        guard let flag = value.boolValue else { throw Self.invalid(path(key), "true or false") }
        return flag
    }

    func texts<T>(_ key: String, as read: (String) -> T?) throws(AirtableError) -> [T]? {
        guard let value = value(key) else { return nil }
        guard let elements = value.arrayValue else { throw Self.invalid(path(key), "an array") }
        guard elements.count <= Limits.webhookFields else {
            throw Self.invalid(path(key), "at most \(Limits.webhookFields) elements")
        }
        var found: [T] = []
        for element in elements {
            guard let one = element.stringValue.flatMap(read) else {
                throw Self.invalid(path(key), "another element than \(element.text.cut(to: 64))")
            }
            found.append(one)
        }
        return found
    }

    static func invalid(_ path: String, _ expected: String) -> AirtableError {
        AirtableError(.invalidRequest, "Invalid webhook: \(path): expected \(expected).")
    }
}
