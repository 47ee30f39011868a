import Domain
import Outbound

/// Records to be written by one caller, all or none; the queue may send several such together.
///
/// Always in the batch form of the API, also for one record, so that a failure reads the same alone and joined.
struct HostedWrite: Sendable, Hashable {
    enum Operation: Sendable, Hashable {
        case create
        case update(isReplacing: Bool)
        case upsert(mergeOn: [String], isReplacing: Bool)
        case delete
    }

    struct Item: Sendable, Hashable {
        /// Nil for a create, and for an upsert that goes by its values.
        var id: RecordID?
        var fields = JSONObject()
    }

    let base: BaseID
    /// Name or identifier, as the caller wrote it.
    let table: String
    let operation: Operation
    var typecast = false
    var returnFieldsByFieldID = false
    let items: [Item]

    /// Everything but the records: writes that agree in this may go together.
    var mergeText: String {
        "\(operation)\u{0}\(typecast)\u{0}\(returnFieldsByFieldID)"
    }

    /// What is written, as far as it can be known beforehand. An upsert by values is known by its values: two of them
    /// under way at once would both find nothing and make the record twice.
    var keys: [String] {
        var keys: [String] = []
        for item in items {
            if let id = item.id {
                keys.append("\(base)/\(id)")
            } else if case .upsert(let mergeOn, _) = operation {
                let values = mergeOn.map { (item.fields[$0] ?? .null).text }.joined(separator: "\u{0}")
                keys.append("\(base)/\(table)/\(mergeOn.joined(separator: "\u{0}"))\u{0}\(values)")
            }
        }
        return keys.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    /// Making a record twice makes two; everything else is the same twice.
    var isRepeatable: Bool { operation != .create }

    /// One request for all of `writes`, which agree in `mergeText` and table.
    static func request(_ writes: [HostedWrite]) -> HostedRequest {
        let first = writes[0]
        let items = writes.flatMap(\.items)
        let path = HostedRequest.path([first.base.description, first.table])
        if first.operation == .delete {
            return HostedRequest(
                method: .delete,
                path: path,
                query: items.compactMap(\.id).map { "\(HostedRequest.encoded("records[]"))=\($0)" },
                isRepeatable: true,
                isRead: false
            )
        }
        var body: JSONObject = ["records": .array(items.map { .object($0.json) })]
        if first.typecast { body["typecast"] = true }
        if first.returnFieldsByFieldID { body["returnFieldsByFieldId"] = true }
        if case .upsert(let mergeOn, _) = first.operation {
            body["performUpsert"] = ["fieldsToMergeOn": .array(mergeOn.map { .string($0) })]
        }
        return HostedRequest(
            method: first.operation.method,
            path: path,
            body: JSONValue.object(body).encoded(),
            isRepeatable: first.isRepeatable,
            isRead: false
        )
    }

    /// Each write's own part of a reply; nil when the reply does not fit.
    static func split(_ reply: JSONValue, for writes: [HostedWrite]) -> [JSONValue]? {
        guard let records = reply["records"]?.arrayValue, records.count == writes.reduce(0, { $0 + $1.items.count })
        else { return nil }
        var parts: [JSONValue] = []
        var position = 0
        for write in writes {
            let own = Array(records[position..<(position + write.items.count)])
            position += write.items.count
            var part: JSONObject = ["records": .array(own)]
            // The identifiers are the whole batch's: who reads them asks for those of their own records.
            part["createdRecords"] = reply["createdRecords"]
            parts.append(.object(part))
        }
        return parts
    }
}

extension HostedWrite.Operation {
    fileprivate var method: OutboundRequest.Method {
        switch self {
        case .create: .post
        case .update(let isReplacing), .upsert(_, let isReplacing): isReplacing ? .put : .patch
        case .delete: .delete
        }
    }
}

extension HostedWrite.Item {
    fileprivate var json: JSONObject {
        var json = JSONObject()
        json["id"] = id.map { .string($0.description) }
        json["fields"] = .object(fields)
        return json
    }
}
