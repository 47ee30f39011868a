public import Domain

/// How far the search index is, of what the caller may see.
public struct SearchStatus: WireType, Hashable {
    /// The model whose vectors are searched.
    public struct Model: WireType, Hashable {
        public var id: String
        public var dimensions: Int
        /// Equal for two servers when their vectors may be compared.
        public var identity: String

        public init(id: String, dimensions: Int, identity: String) {
            self.id = id
            self.dimensions = dimensions
            self.identity = identity
        }

        public static var schema: JSONSchema {
            .object(
                properties: [
                    "id": .string(description: "The model's name."),
                    "dimensions": .integer(minimum: 1),
                    "identity": .string(description: "Equal when vectors may be compared."),
                ],
                required: ["id", "dimensions", "identity"]
            )
        }
    }

    /// One table.
    public struct Entry: WireType, Hashable {
        /// Whether all that was written to it can be found.
        public enum State: String, Sendable, Codable, CaseIterable {
            /// All of it.
            case current
            /// Changes wait to be indexed.
            case behind
            /// The table is being gone through as a whole.
            case filling
            /// Indexing it has not begun.
            case waiting
        }

        public var base: String
        public var baseID: BaseID
        public var table: String
        public var tableID: TableID
        public var state: State
        public var records: Int
        /// Pieces of them in the index.
        public var units: Int
        /// While filling: records gone through, of how many.
        public var filled: Int?
        public var toFill: Int?
        /// Changes not yet indexed, and how long the oldest of them has waited. Nil when the change log is no longer
        /// kept that far back.
        public var lagChanges: Int?
        public var lagSeconds: Double?

        public init(
            base: String,
            baseID: BaseID,
            table: String,
            tableID: TableID,
            state: State,
            records: Int,
            units: Int,
            filled: Int?,
            toFill: Int?,
            lagChanges: Int?,
            lagSeconds: Double?
        ) {
            self.base = base
            self.baseID = baseID
            self.table = table
            self.tableID = tableID
            self.state = state
            self.records = records
            self.units = units
            self.filled = filled
            self.toFill = toFill
            self.lagChanges = lagChanges
            self.lagSeconds = lagSeconds
        }

        private enum CodingKeys: String, CodingKey {
            case base, table, state, records, units, filled, toFill, lagChanges, lagSeconds
            case baseID = "baseId"
            case tableID = "tableId"
        }

        public static var schema: JSONSchema {
            .object(
                properties: [
                    "base": .string(description: "Name of the base."), "baseId": .string(description: "app…"),
                    "table": .string(description: "Name of the table."), "tableId": .string(description: "tbl…"),
                    "state": .string(
                        description: "current: all can be found; behind: changes wait; filling: it is gone through as "
                            + "a whole; waiting: not begun.",
                        enum: State.allCases.map(\.rawValue)
                    ),
                    "records": .integer(minimum: 0),
                    "units": .integer(description: "Pieces of records in the index.", minimum: 0),
                    "filled": .integer(description: "Records gone through, while filling.", minimum: 0),
                    "toFill": .integer(description: "Records to go through, while filling.", minimum: 0),
                    "lagChanges": .integer(
                        description: "Changes not yet indexed, counted up to \(Limits.changePageEntries). Absent when "
                            + "the change log does not reach back to them.",
                        minimum: 0
                    ),
                    "lagSeconds": .number(description: "How long the oldest of them has waited.", minimum: 0),
                ],
                required: ["base", "baseId", "table", "tableId", "state", "records", "units"]
            )
        }
    }

    public var model: Model
    /// Whether every table is.
    public var isCurrent: Bool
    /// The last change that is in the index; nil before indexing first began.
    public var indexedSequence: Int?
    /// The last change there is.
    public var latestSequence: Int
    public var tables: [Entry]

    public init(model: Model, isCurrent: Bool, indexedSequence: Int?, latestSequence: Int, tables: [Entry]) {
        self.model = model
        self.isCurrent = isCurrent
        self.indexedSequence = indexedSequence
        self.latestSequence = latestSequence
        self.tables = tables
    }

    private enum CodingKeys: String, CodingKey {
        case model, indexedSequence, latestSequence, tables
        case isCurrent = "current"
    }

    public static var schema: JSONSchema {
        .object(
            properties: [
                "model": Model.schema,
                "current": .boolean(description: "Whether all that was written can be found."),
                "indexedSequence": .integer(description: "The last change in the index; absent before the first."),
                "latestSequence": .integer(description: "The last change there is.", minimum: 0),
                "tables": .array(of: Entry.schema, description: "Those that may be seen."),
            ],
            required: ["model", "current", "latestSequence", "tables"]
        )
    }
}
