import Domain
import Synchronization

/// The records that one run was shown: only these can be cited, if the asker may still read them then.
final class Evidence: Sendable {
    private struct State {
        var places: [RecordID: [EvidencePlace]] = [:]
        /// In order of arrival, for storing.
        var order: [EvidencePlace] = []
        /// What an extractor has quoted of a cell.
        var quotes: [CitationReader.Reference: String] = [:]
    }

    private let state = Mutex(State())
    /// How many of `order` were known before the run: those of earlier turns.
    private let inherited: Int

    init(inherited places: [EvidencePlace] = []) {
        inherited = Set(places).count
        for place in places { add(place) }
    }

    /// Found in this run, but for the first `count`.
    func found(after count: Int) -> [EvidencePlace] {
        state.withLock { Array($0.order.dropFirst(inherited + count)) }
    }

    func places(of record: RecordID) -> [EvidencePlace] { state.withLock { $0.places[record] ?? [] } }

    /// Beyond the bound nothing is added: such records can't be cited.
    func add(_ place: EvidencePlace) {
        state.withLock { state in
            guard state.order.count < Limits.chatEvidence + inherited,
                !state.places[place.record, default: []].contains(place)
            else { return }
            state.places[place.record, default: []].append(place)
            state.order.append(place)
        }
    }

    func add(quote: String, of reference: CitationReader.Reference) {
        state.withLock { $0.quotes[reference] = quote }
    }

    func quote(of reference: CitationReader.Reference) -> String? { state.withLock { $0.quotes[reference] } }

    /// Adds every record that a tool's structured result shows.
    ///
    /// A record is an object's `id` or `recordId`, its table the nearest `tableId`, or `table` with an `id`, around it.
    /// Other record identifiers are links of that table. Cells are what somebody wrote: whatever a field is called and
    /// whatever its text says, only lists of identifiers, as links are shown, count, and only as links.
    func add(from result: JSONValue) {
        var reader = ResultReader()
        reader.read(result, table: nil, depth: 0)
        for place in reader.places { add(place) }
    }

    private struct ResultReader {
        var places: [EvidencePlace] = []

        mutating func read(_ value: JSONValue, table: TableID?, depth: Int) {
            guard depth < Limits.jsonDepth, places.count < Limits.chatEvidence else { return }
            switch value {
            case .array(let elements):
                for element in elements { read(element, table: table, depth: depth + 1) }
            case .object(let members):
                let table = Self.table(of: members) ?? table
                for (key, value) in members {
                    if key == "fields", case .object(let cells) = value {
                        readLinks(in: cells, of: table)
                        continue
                    }
                    let isOwn = key == "id" || key == "recordId"
                    if let linked = RecordID(key) {
                        // With its name, which is a cell as well.
                        add(linked, table, isLinked: true)
                    } else if let record = value.stringValue.flatMap({ RecordID($0) }) {
                        add(record, table, isLinked: !isOwn)
                    } else {
                        read(value, table: table, depth: depth + 1)
                    }
                }
            case .string(let text):
                if let record = RecordID(text) { add(record, table, isLinked: true) }
            case .null, .bool, .number: break
            }
        }

        private mutating func readLinks(in cells: JSONObject, of table: TableID?) {
            for (_, cell) in cells {
                guard case .array(let elements) = cell else { continue }
                for element in elements {
                    guard places.count < Limits.chatEvidence else { return }
                    if let record = element.stringValue.flatMap({ RecordID($0) }) { add(record, table, isLinked: true) }
                }
            }
        }

        private mutating func add(_ record: RecordID, _ table: TableID?, isLinked: Bool) {
            guard let table else { return }
            places.append(EvidencePlace(record: record, table: table, isLinked: isLinked))
        }

        private static func table(of members: JSONObject) -> TableID? {
            if let id = members["tableId"]?.stringValue.flatMap({ TableID($0) }) { return id }
            let id = members["table"]?["id"]?.stringValue ?? members["table"]?.stringValue
            return id.flatMap { TableID($0) }
        }
    }
}
