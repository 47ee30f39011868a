import Airtable
import Domain

/// How cells are to be written into an answer.
struct CellFormat: Sendable, Hashable {
    var byFieldID = false
    /// How cells are to be the text people read; nil for values.
    var text: TextStyle?
    var countsComments = false

    /// Whom the text is for.
    struct TextStyle: Sendable, Hashable {
        let timeZone: String
        let locale: String
    }

    /// - Throws: `invalidRequest` for another format, and for text without a time zone and a locale.
    init(
        cellFormat: String?,
        timeZone: String?,
        locale: String?,
        byFieldID: Bool
    ) throws(AirtableRefusal) {
        self.byFieldID = byFieldID
        switch cellFormat {
        case nil, "json": text = nil
        case "string":
            guard let timeZone, let locale else {
                throw .invalid("cellFormat=string needs both timeZone and userLocale.")
            }
            text = TextStyle(timeZone: timeZone, locale: locale)
        default: throw .invalid("cellFormat must be json or string.")
        }
    }

    /// Of a request for one record.
    init(_ query: AirtableQuery) throws(AirtableRefusal) {
        try self.init(
            cellFormat: query.text("cellFormat"),
            timeZone: query.text("timeZone"),
            locale: query.text("userLocale"),
            byFieldID: query.flag("returnFieldsByFieldId") ?? false
        )
    }
}

/// A request for a page of records, whether it came as a query or as a body.
struct ListRequest: Sendable {
    let query: RecordQuery
    let format: CellFormat

    init(_ parameters: AirtableQuery) throws(AirtableRefusal) {
        var query = RecordQuery()
        query.fields = parameters.texts("fields")
        query.filter = parameters.text("filterByFormula")
        query.view = parameters.text("view")
        query.maxRecords = try Self.checked(parameters.integer("maxRecords"), in: 1...Int.max, "maxRecords")
        query.pageSize = try Self.pageSize(parameters.integer("pageSize"))
        query.offset = parameters.text("offset")
        query.timeZone = parameters.text("timeZone")
        query.locale = parameters.text("userLocale")
        for key in parameters.members("sort") {
            query.sort.append(try Self.sortKey(key["field"], key["direction"]))
        }
        var format = try CellFormat(parameters)
        format.countsComments = try Self.countsComments(parameters.texts("recordMetadata"))
        self.query = query
        self.format = format
    }

    /// - Parameter parameters: of the address: time zone and locale come there even with a body.
    init(_ body: AirtableBody, _ parameters: AirtableQuery) throws(AirtableRefusal) {
        var query = RecordQuery()
        query.fields = try body.texts("fields")
        query.filter = try body.text("filterByFormula").flatMap { $0.isEmpty ? nil : $0 }
        query.view = try body.text("view").flatMap { $0.isEmpty ? nil : $0 }
        query.maxRecords = try Self.checked(body.integer("maxRecords"), in: 1...Int.max, "maxRecords")
        query.pageSize = try Self.pageSize(body.integer("pageSize"))
        query.offset = try body.text("offset").flatMap { $0.isEmpty ? nil : $0 } ?? parameters.text("offset")
        let (timeZone, locale) = (try body.text("timeZone"), try body.text("userLocale"))
        query.timeZone = parameters.text("timeZone") ?? timeZone
        query.locale = parameters.text("userLocale") ?? locale
        for key in try body.objects("sort") ?? [] {
            query.sort.append(try Self.sortKey(key.text("field"), key.text("direction")))
        }
        var format = try CellFormat(
            cellFormat: body.text("cellFormat"),
            timeZone: query.timeZone,
            locale: query.locale,
            byFieldID: body.flag("returnFieldsByFieldId") ?? false
        )
        format.countsComments = try Self.countsComments(body.texts("recordMetadata"))
        self.query = query
        self.format = format
    }

    static func pageSize(_ given: Int?) throws(AirtableRefusal) -> Int {
        try checked(given, in: 1...Limits.pageRecords, "pageSize") ?? Limits.pageRecords
    }

    private static func checked(
        _ number: Int?,
        in range: ClosedRange<Int>,
        _ name: String
    ) throws(AirtableRefusal) -> Int? {
        guard let number else { return nil }
        guard range.contains(number) else {
            let most = range.upperBound == .max ? "at least 1" : "from 1 to \(range.upperBound)"
            throw .invalid("\(name) must be a whole number \(most).")
        }
        return number
    }

    static func sortKey(_ field: String?, _ direction: String?) throws(AirtableRefusal) -> RecordQuery.SortKey {
        guard let field, !field.isEmpty else { throw .invalid("Each sort needs a field.") }
        switch direction {
        case nil, "asc": return RecordQuery.SortKey(field: field)
        case "desc": return RecordQuery.SortKey(field: field, isDescending: true)
        default: throw .invalid("The direction of a sort must be asc or desc.")
        }
    }

    private static func countsComments(_ metadata: [String]?) throws(AirtableRefusal) -> Bool {
        guard let metadata, !metadata.isEmpty else { return false }
        guard metadata.allSatisfy({ $0 == "commentCount" }) else {
            throw .invalid("recordMetadata takes commentCount only.")
        }
        return true
    }
}
