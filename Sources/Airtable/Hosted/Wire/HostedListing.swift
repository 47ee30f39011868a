import Domain
import Outbound

/// What a listing asks for: the parameters of the hosted API, by their own names.
public struct HostedListing: Sendable, Hashable {
    public struct Sort: Sendable, Hashable {
        public var field: String
        public var isDescending: Bool

        public init(field: String, isDescending: Bool = false) {
            self.field = field
            self.isDescending = isDescending
        }
    }

    /// Names or identifiers; nil for all.
    public var fields: [String]?
    public var filterByFormula: String?
    public var maxRecords: Int?
    public var pageSize: Int?
    public var sort: [Sort] = []
    public var view: String?
    public var cellFormat: String?
    public var timeZone: String?
    public var userLocale: String?
    public var returnFieldsByFieldID = false
    public var recordMetadata: [String] = []
    /// Where the page before ended; all else must be as it was.
    public var offset: String?

    public init() {}

    /// As GET, or as POST when the address would grow too long for it.
    ///
    /// - Parameter urlBytesMax: of path and query.
    func request(base: BaseID, table: String, urlBytesMax: Int = Limits.hostedURLBytes) -> HostedRequest {
        let get = HostedRequest.read([base.description, table], query: parameters)
        guard get.target.utf8.count > urlBytesMax else { return get }
        // Time zone and locale stay in the query even then: the service reads them nowhere else.
        let query = [("timeZone", timeZone), ("userLocale", userLocale)].compactMap { name, value in
            value.map { "\(name)=\(HostedRequest.encoded($0))" }
        }
        return HostedRequest(
            method: .post,
            path: HostedRequest.path([base.description, table, "listRecords"]),
            query: query,
            body: JSONValue.object(body).encoded(),
            isRepeatable: true,
            isRead: true
        )
    }

    private var parameters: [(name: String, value: String)] {
        var list: [(name: String, value: String)] = []
        func add(_ name: String, _ value: String?) { if let value { list.append((name, value)) } }
        for field in fields ?? [] { add("fields[]", field) }
        add("filterByFormula", filterByFormula)
        add("maxRecords", maxRecords.map(String.init))
        add("pageSize", pageSize.map(String.init))
        for (position, sort) in sort.enumerated() {
            add("sort[\(position)][field]", sort.field)
            add("sort[\(position)][direction]", sort.isDescending ? "desc" : "asc")
        }
        add("view", view)
        add("cellFormat", cellFormat)
        add("timeZone", timeZone)
        add("userLocale", userLocale)
        add("returnFieldsByFieldId", returnFieldsByFieldID ? "true" : nil)
        for item in recordMetadata { add("recordMetadata[]", item) }
        add("offset", offset)
        return list
    }

    private var body: JSONObject {
        var body = JSONObject()
        body["fields"] = fields.map { .array($0.map { .string($0) }) }
        body["filterByFormula"] = filterByFormula.map { .string($0) }
        body["maxRecords"] = maxRecords.map { .number(JSONNumber($0)) }
        body["pageSize"] = pageSize.map { .number(JSONNumber($0)) }
        if !sort.isEmpty {
            body["sort"] = .array(
                sort.map { ["field": .string($0.field), "direction": .string($0.isDescending ? "desc" : "asc")] }
            )
        }
        body["view"] = view.map { .string($0) }
        body["cellFormat"] = cellFormat.map { .string($0) }
        if returnFieldsByFieldID { body["returnFieldsByFieldId"] = true }
        if !recordMetadata.isEmpty { body["recordMetadata"] = .array(recordMetadata.map { .string($0) }) }
        body["offset"] = offset.map { .string($0) }
        return body
    }
}
