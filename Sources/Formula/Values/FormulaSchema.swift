public import Domain

/// A field that a formula may name.
public struct FormulaField: Sendable, Hashable {
    /// As people see it; compared without case.
    public var name: String
    /// `fld…`; nil where fields have no identifier, as on the command line and `values` in a rollup.
    public var id: FieldID?
    public var type: FormulaType
    /// Whether somebody sets it: LAST_MODIFIED_TIME() without arguments looks at these only.
    public var isComputed: Bool

    public init(name: String, id: FieldID? = nil, type: FormulaType, isComputed: Bool = false) {
        self.name = name
        self.id = id
        self.type = type
        self.isComputed = isComputed
    }
}

/// The fields that formulas of one table may name. A field's *slot* is its place in `fields`.
public struct FormulaSchema: Sendable {
    public private(set) var fields: [FormulaField]
    /// Functions without arguments that these formulas may call beside the language's own, by their names in upper
    /// case, and what each gives.
    package let constants: [String: FormulaValue]
    private let slotsByKey: [String: Int]

    public init(_ fields: [FormulaField]) { self.init(fields, constants: [:]) }

    package init(_ fields: [FormulaField], constants: [String: FormulaValue]) {
        self.fields = fields
        self.constants = constants
        var slots: [String: Int] = [:]
        for (slot, field) in fields.enumerated() {
            if let id = field.id { slots[id.description] = slot }
            let key = field.name.lowercased()
            if slots[key] == nil { slots[key] = slot }
        }
        self.slotsByKey = slots
    }

    /// Says what the field in a slot is, once that is known.
    package mutating func set(_ type: FormulaType, ofSlot slot: Int) { fields[slot].type = type }

    /// By identifier, or else by name without regard to case; of two names alike, the first.
    public func slot(of nameOrID: String) -> Int? {
        slotsByKey[nameOrID] ?? slotsByKey[nameOrID.lowercased()]
    }
}

/// One record as a formula sees it.
public protocol FormulaRow {
    /// The cell of the field in this slot.
    func value(_ slot: Int) -> FormulaValue
    /// For RECORD_ID().
    var recordID: String? { get }
    /// For CREATED_TIME().
    var createdTime: Instant? { get }
    /// The last change of any of these slots' cells; of all that somebody sets when nil. For
    /// LAST_MODIFIED_TIME().
    func lastModifiedTime(_ slots: [Int]?) -> Instant?
}

/// What a formula's result depends on besides its record.
public struct FormulaEnvironment: Sendable {
    /// For NOW(), TODAY(), FROMNOW() and TONOW(): one moment for a whole request.
    public var now: Instant
    /// An IANA name; nil is UTC.
    public var timeZone: String?
    public var locale: String?

    public init(now: Instant, timeZone: String? = nil, locale: String? = nil) {
        self.now = now
        self.timeZone = timeZone
        self.locale = locale
    }
}
