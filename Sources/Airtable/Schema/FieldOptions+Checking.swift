import Domain

extension FieldOptions {
    /// The options of a new field: what the type knows of `draft`, checked, with defaults for the
    /// rest.
    ///
    /// number and percent without a precision keep none: their values are then shown as exactly as
    /// they are.
    ///
    /// - Throws: `.invalidFieldOptions`, `.tooLarge`.
    init(checking draft: FieldOptions, of type: FieldType, named name: String) throws(AirtableError) {
        self.init()
        switch type {
        case .number, .percent:
            precision = try Self.checked(draft.precision, in: 0...8, "precision", name)
        case .currency:
            precision = try Self.checked(draft.precision, in: 0...7, "precision", name) ?? 2
            symbol = try Self.checked(draft.symbol ?? "$", "symbol", name)
        case .rating:
            max = try Self.checked(draft.max, in: 1...10, "max", name) ?? Self.ratingMaxDefault
            icon = try Self.checked(draft.icon ?? "star", "icon", name)
            color = try Self.checked(draft.color ?? "yellowBright", "color", name)
        case .checkbox:
            icon = try Self.checked(draft.icon ?? "check", "icon", name)
            color = try Self.checked(draft.color ?? "greenBright", "color", name)
        case .singleSelect, .multipleSelects:
            choices = try Self.checked(draft.choices ?? [], name)
        case .date:
            dateFormat = try Self.checked(draft.dateFormat ?? "iso", oneOf: Self.dateFormats, "dateFormat", name)
        case .dateTime, .createdTime:
            dateFormat = try Self.checked(draft.dateFormat ?? "iso", oneOf: Self.dateFormats, "dateFormat", name)
            timeFormat = try Self.checked(draft.timeFormat ?? "24hour", oneOf: Self.timeFormats, "timeFormat", name)
            timeZone = try Self.checked(draft.timeZone ?? "utc", "timeZone", name)
        case .singleLineText, .multilineText, .email, .url, .phoneNumber, .multipleRecordLinks, .autoNumber:
            break
        }
    }

    static let dateFormats = ["local", "friendly", "us", "european", "iso"]
    static let timeFormats = ["12hour", "24hour"]

    /// The colours that choices get in turn when they name none.
    private static let choiceColors = [
        "blueLight2", "cyanLight2", "tealLight2", "greenLight2", "yellowLight2", "orangeLight2", "redLight2",
        "pinkLight2", "purpleLight2", "grayLight2",
    ]

    static func choiceColor(at position: Int) -> String { choiceColors[position % choiceColors.count] }

    private static func checked(
        _ choices: [SelectChoice],
        _ name: String
    ) throws(AirtableError) -> [SelectChoice] {
        guard choices.count <= Limits.choicesPerField else {
            throw AirtableError(.tooLarge, "Field \"\(name)\" has more than \(Limits.choicesPerField) choices.")
        }
        var names: Set<String> = []
        var ids: Set<ChoiceID> = []
        var checked: [SelectChoice] = []
        checked.reserveCapacity(choices.count)
        for choice in choices {
            let choiceName = try SchemaBuilder.checkedName(choice.name, of: "choice", otherwise: .invalidFieldOptions)
            guard names.insert(choiceName).inserted, ids.insert(choice.id).inserted else {
                throw AirtableError(.invalidFieldOptions, "Field \"\(name)\" has a choice twice.")
            }
            let color = choice.color ?? choiceColor(at: checked.count)
            checked.append(SelectChoice(id: choice.id, name: choiceName, color: try Self.checked(color, "color", name)))
        }
        return checked
    }

    private static func checked(
        _ value: Int?,
        in range: ClosedRange<Int>,
        _ option: String,
        _ name: String
    ) throws(AirtableError) -> Int? {
        guard let value else { return nil }
        guard range.contains(value) else {
            throw AirtableError(
                .invalidFieldOptions,
                "Field \"\(name)\": \(option) must be from \(range.lowerBound) to \(range.upperBound), not \(value)."
            )
        }
        return value
    }

    private static func checked(_ value: String, _ option: String, _ name: String) throws(AirtableError) -> String {
        guard value.count <= 64, !value.hasNUL else {
            throw AirtableError(.invalidFieldOptions, "Field \"\(name)\": \(option) has at most 64 characters.")
        }
        return value
    }

    private static func checked(
        _ value: String,
        oneOf allowed: [String],
        _ option: String,
        _ name: String
    ) throws(AirtableError) -> String {
        guard allowed.contains(value) else {
            throw AirtableError(
                .invalidFieldOptions,
                "Field \"\(name)\": \(option) must be one of \(allowed.joined(separator: ", "))."
            )
        }
        return value
    }
}
