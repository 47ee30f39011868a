public import Domain

/// A record held in memory: the row of those who have all its values at hand.
public struct FormulaRecord: FormulaRow, Sendable {
    /// By slot.
    public var values: [FormulaValue]
    public var recordID: String?
    public var createdTime: Instant?
    /// Of any of its cells.
    public var modifiedTime: Instant?

    public init(
        _ values: [FormulaValue],
        recordID: String? = nil,
        createdTime: Instant? = nil,
        modifiedTime: Instant? = nil
    ) {
        self.values = values
        self.recordID = recordID
        self.createdTime = createdTime
        self.modifiedTime = modifiedTime
    }

    public func value(_ slot: Int) -> FormulaValue { values[slot] }
    public func lastModifiedTime(_ slots: [Int]?) -> Instant? { modifiedTime }
}

extension FormulaRecord {
    /// The fields of a record in JSON, with the schema that fits them: names from `fields` and `types`, types from
    /// `types` or else what the JSON kind says.
    ///
    /// - Throws: a message when a type is unknown.
    static func reading(
        fields: JSONObject,
        types: JSONObject
    ) throws(FormulaQuestion.Problem) -> (schema: FormulaSchema, record: FormulaRecord) {
        var schema: [FormulaField] = []
        var values: [FormulaValue] = []
        for (name, cell) in fields {
            let type: FormulaType
            if let told = types[name] {
                type = try FormulaQuestion.type(told, of: name)
            } else {
                type = FormulaType(kindOf: cell)
            }
            schema.append(FormulaField(name: name, type: type))
            values.append(FormulaValue(cell: cell, type: type))
        }
        for (name, type) in types where fields[name] == nil {
            schema.append(FormulaField(name: name, type: try FormulaQuestion.type(type, of: name)))
            values.append(.blank)
        }
        return (FormulaSchema(schema), FormulaRecord(values))
    }
}

extension FormulaType {
    /// What a JSON value says of its field.
    init(kindOf cell: JSONValue) {
        switch cell {
        case .null, .object: self = .any
        case .bool: self = .boolean
        case .number: self = .number
        case .string: self = .text
        case .array(let elements):
            let kinds = Set(elements.lazy.filter { !$0.isNull }.map(FormulaType.init(kindOf:)))
            // Items that differ stay what each is: SUM of 1 and "x" is 1.
            self = .array(kinds.count == 1 ? kinds.first ?? .any : .any)
        }
    }
}
