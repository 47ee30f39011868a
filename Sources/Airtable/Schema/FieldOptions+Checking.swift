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
        case .dateTime:
            try takeTime(draft, name)
        case .createdTime, .lastModifiedTime:
            // A result that is a date shows days, one that is a dateTime the clock too.
            let result = draft.result
            try takeTime(result?.options ?? draft, name)
            if result?.type == .date { (timeFormat, timeZone) = (nil, nil) }
            if type == .lastModifiedTime { referencedFields = draft.referencedFields }
        case .lastModifiedBy:
            referencedFields = draft.referencedFields
        case .duration:
            durationFormat = try Self.checked(
                draft.durationFormat ?? "h:mm",
                oneOf: Self.durationFormats,
                "durationFormat",
                name
            )
        case .multipleRecordLinks:
            prefersSingleRecordLink = draft.prefersSingleRecordLink
            recordSelectionView = draft.recordSelectionView
            isReversed = draft.isReversed
        case .multipleAttachments:
            isReversed = draft.isReversed ?? false
        case .formula, .rollup, .multipleLookupValues, .count, .button, .aiText:
            try takeComputed(draft, type, name)
        case .externalSyncSource:
            choices = try Self.checked(draft.choices ?? [], name)
        case .singleLineText, .multilineText, .richText, .email, .url, .phoneNumber, .autoNumber, .barcode,
            .singleCollaborator, .multipleCollaborators, .createdBy, .manualSort:
            break
        }
    }

    private mutating func takeTime(_ draft: FieldOptions, _ name: String) throws(AirtableError) {
        dateFormat = try Self.checked(draft.dateFormat ?? "iso", oneOf: Self.dateFormats, "dateFormat", name)
        timeFormat = try Self.checked(draft.timeFormat ?? "24hour", oneOf: Self.timeFormats, "timeFormat", name)
        let zone = try Self.checked(draft.timeZone ?? "utc", "timeZone", name)
        guard CellZone.exists(zone) else {
            throw AirtableError(
                .invalidFieldOptions,
                "Field \"\(name)\": timeZone must be an IANA name such as Europe/Paris, utc or client."
            )
        }
        timeZone = zone
    }

    /// What a computed field is made from. Whether it is there is judged where its tables are at hand, and whether its
    /// formula compiles by whoever computes it.
    private mutating func takeComputed(
        _ draft: FieldOptions,
        _ type: FieldType,
        _ name: String
    ) throws(AirtableError) {
        if type == .formula || type == .rollup || type == .button {
            if let given = draft.formula {
                let text = given.trimmingSpace()
                guard text.unicodeScalars.count <= Limits.formulaCharacters, !text.hasNUL else {
                    throw AirtableError(
                        .invalidFieldOptions,
                        "Field \"\(name)\": formula has at most \(Limits.formulaCharacters) characters."
                    )
                }
                formula = text
            }
            guard type == .button || type == .rollup || formula?.isEmpty == false else {
                throw AirtableError(.invalidFieldOptions, "Field \"\(name)\" needs a formula.")
            }
        }
        if type == .button { label = try Self.checked(draft.label ?? "Open", "label", name) }
        if type == .aiText {
            guard (draft.prompt?.count ?? 0) <= Limits.promptParts else {
                throw AirtableError(.tooLarge, "A prompt has at most \(Limits.promptParts) parts.")
            }
            prompt = draft.prompt ?? []
        }
        if type.isDerived { isValid = true }
        recordLinkField = draft.recordLinkField
        fieldInLinkedTable = type == .count ? nil : draft.fieldInLinkedTable
        referencedFields = draft.referencedFields
        if type != .count, let given = draft.result {
            guard given.type.isResult else {
                throw AirtableError(
                    .invalidFieldOptions,
                    "Field \"\(name)\": a result cannot be of type \(given.type.rawValue)."
                )
            }
            result = .of(given.type, try FieldOptions(checking: given.options, of: given.type, named: name))
        }
    }

    static let durationFormats = ["h:mm", "h:mm:ss", "h:mm:ss.S", "h:mm:ss.SS", "h:mm:ss.SSS"]
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

extension FieldType {
    /// Whether values of computed fields can be like those of a field of this type.
    fileprivate var isResult: Bool {
        switch self {
        case .formula, .rollup, .multipleLookupValues, .button, .aiText, .manualSort: false
        default: true
        }
    }
}
