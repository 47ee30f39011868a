/// The value of one cell. An empty cell has no value at all: it is absent from its record.
///
/// Selects hold the choice's identifier, so that renaming a choice changes no record. People are held as they were
/// when the cell was written, since a mirrored base names people who are no users here.
public enum CellValue: Sendable, Hashable {
    case text(String)
    /// Of a duration its seconds, of a percentage its hundredth.
    case number(Double)
    /// Only ever true; an unchecked box is an empty cell.
    case checked
    case choice(ChoiceID)
    case choices([ChoiceID])
    case date(CalendarDate)
    case dateTime(Instant)
    case links([RecordID])
    case collaborator(Collaborator)
    case collaborators([Collaborator])
    case attachments([Attachment])
    case barcode(Barcode)
    case button(ButtonValue)
    case aiText(AIText)
    /// What a formula, a rollup or a lookup gave.
    case computed(ComputedValue)
}

/// A person in a cell. Two are the same when their identifiers are.
public struct Collaborator: Sendable, Identifiable {
    public let id: UserID
    public var email: String?
    public var name: String?

    public init(id: UserID, email: String? = nil, name: String? = nil) {
        self.id = id
        self.email = email
        self.name = name
    }

    /// As people read it.
    public var displayName: String { name ?? email ?? id.description }
}

extension Collaborator: Hashable {
    public static func == (left: Self, right: Self) -> Bool { left.id == right.id }
    public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

/// The code that a scanner read.
public struct Barcode: Sendable, Hashable {
    public var text: String
    /// Such as `upce` or `code39`.
    public var type: String?

    public init(text: String, type: String? = nil) {
        self.text = text
        self.type = type
    }
}

/// What a button shows, and where it leads.
public struct ButtonValue: Sendable, Hashable {
    public var label: String
    public var url: String?

    public init(label: String, url: String? = nil) {
        self.label = label
        self.url = url
    }
}

/// A text that a model wrote, and how far it is.
public struct AIText: Sendable, Hashable {
    public var state: State
    /// What it was made from has changed since.
    public var isStale: Bool
    public var value: String?
    public var errorType: String?

    public enum State: String, Sendable, Hashable, CaseIterable {
        case empty, loading, generated, error
    }

    public init(state: State, isStale: Bool = false, value: String? = nil, errorType: String? = nil) {
        self.state = state
        self.isStale = isStale
        self.value = value
        self.errorType = errorType
    }
}

/// What a formula, a rollup or a lookup gave.
public enum ComputedValue: Sendable, Hashable {
    case text(String)
    /// Finite; see `special`.
    case number(Double)
    case special(Special)
    case boolean(Bool)
    case day(CalendarDate)
    case moment(Instant)
    case collaborator(Collaborator)
    case attachment(Attachment)
    case barcode(Barcode)
    case record(RecordID)
    /// In order; may hold lists.
    case list([ComputedValue])
    /// An empty value inside a list; alone it is an empty cell.
    case blank
    /// `#ERROR!`.
    case error

    /// Numbers that JSON has no literal for.
    public enum Special: String, Sendable, Hashable, CaseIterable {
        case notANumber = "NaN"
        case infinity = "Infinity"
        case negativeInfinity = "-Infinity"
    }

    /// Any number.
    public init(_ number: Double) {
        if number.isNaN {
            self = .special(.notANumber)
        } else if number.isInfinite {
            self = .special(number > 0 ? .infinity : .negativeInfinity)
        } else {
            self = .number(number)
        }
    }
}
