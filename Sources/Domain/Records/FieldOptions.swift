/// One choice of a select field.
public struct SelectChoice: Sendable, Hashable, Identifiable, Codable {
    public let id: ChoiceID
    public var name: String
    /// Airtable's colour name, such as `blueLight2`.
    public var color: String?

    public init(id: ChoiceID, name: String, color: String? = nil) {
        self.id = id
        self.name = name
        self.color = color
    }
}

/// What a field's type leaves open. Only the members of that type are set.
public struct FieldOptions: Sendable, Hashable {
    /// Decimal places: number and percent 0–8, currency 0–7.
    public var precision: Int?
    /// currency.
    public var symbol: String?
    /// rating: largest value, 1–10.
    public var max: Int?
    /// checkbox, rating.
    public var icon: String?
    public var color: String?
    /// singleSelect, multipleSelects, externalSyncSource, in choice order.
    public var choices: [SelectChoice]?
    /// multipleRecordLinks: the table whose records are linked, and the field there that shows the other side.
    public var linkedTable: TableID?
    public var inverseLinkField: FieldID?
    /// multipleRecordLinks: whether people should link one record only; a wish, nothing refuses more.
    public var prefersSingleRecordLink: Bool?
    /// multipleRecordLinks: the view of the linked table that records are picked from.
    public var recordSelectionView: ViewID?
    /// multipleRecordLinks: whether this side came of the other one; multipleAttachments: the newest first.
    public var isReversed: Bool?
    /// date, dateTime, createdTime, lastModifiedTime: `local friendly us european iso`; `12hour 24hour`, nil for one
    /// that shows days; an IANA name, `utc` or `client`.
    public var dateFormat: String?
    public var timeFormat: String?
    public var timeZone: String?
    /// duration: `h:mm`, `h:mm:ss`, or that with `.S`, `.SS`, `.SSS`.
    public var durationFormat: String?
    /// formula; rollup: the aggregation, over `values`; button: the address it leads to.
    public var formula: String?
    /// formula, rollup, lookup, count, lastModifiedTime, lastModifiedBy: false when what it is made from is gone.
    public var isValid: Bool?
    /// formula, rollup, aiText: the fields its text names; lastModifiedTime, lastModifiedBy: those it watches, nil for
    /// all that people set.
    public var referencedFields: [FieldID]?
    /// rollup, lookup, count: the link it goes through, and the field at its other end.
    public var recordLinkField: FieldID?
    public var fieldInLinkedTable: FieldID?
    /// formula, rollup, lookup: what its values are like.
    public var result: FieldResult?
    /// button.
    public var label: String?
    /// aiText: its prompt, in order.
    public var prompt: [PromptPart]?
    /// Of a hosted base: the service's own name of a type that this program does not know.
    public var hostedType: String?

    public init() {}
}

/// A piece of the prompt of an aiText field.
public enum PromptPart: Sendable, Hashable {
    case text(String)
    /// The value of a field of the same record.
    case field(FieldID)
}

/// What the values of a computed field are like: the type and options of a field that could hold them.
public indirect enum FieldResult: Sendable, Hashable {
    case of(FieldType, FieldOptions)

    public var type: FieldType {
        switch self {
        case .of(let type, _): type
        }
    }

    public var options: FieldOptions {
        switch self {
        case .of(_, let options): options
        }
    }
}
