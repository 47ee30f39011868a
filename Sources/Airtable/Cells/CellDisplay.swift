public import Domain

extension CellCodec {
    /// A cell as people read it: numbers as exact as their field says, names of choices, ISO dates,
    /// linked records by their primary value.
    ///
    /// - Parameter linkedPrimary: the primary value of a linked record; those it doesn't know are
    ///   left out.
    public static func displayText(
        of value: CellValue,
        field: Field,
        linkedPrimary: (RecordID) -> String?
    ) -> String {
        switch value {
        case .text(let text): text
        case .number(let number): displayText(of: number, field)
        case .checked: "checked"
        case .choice(let id): field.options.choiceName(id) ?? ""
        case .choices(let ids): ids.compactMap { field.options.choiceName($0) }.joined(separator: ", ")
        case .date(let date): date.iso8601
        case .dateTime(let instant): instant.iso8601
        case .links(let ids): ids.compactMap(linkedPrimary).joined(separator: ", ")
        case .collaborator(let person): person.displayName
        case .collaborators(let people): people.map(\.displayName).joined(separator: ", ")
        case .attachments(let files): files.map(\.filename).joined(separator: ", ")
        case .barcode(let code): code.text
        case .button(let button): button.label
        case .aiText(let text): text.value ?? ""
        case .computed(let value): displayText(ofComputed: value, field: field, linkedPrimary: linkedPrimary)
        }
    }

    /// What a formula, rollup or lookup gave, as a field of its result would show it; lists joined by commas.
    static func displayText(
        ofComputed value: ComputedValue,
        field: Field,
        linkedPrimary: (RecordID) -> String?
    ) -> String {
        switch value {
        case .text(let text): text
        case .number(let number): displayText(of: number, field)
        case .special(let special): special.rawValue
        case .boolean(let flag): flag ? "checked" : ""
        case .day(let date): date.iso8601
        case .moment(let instant): instant.iso8601
        case .collaborator(let person): person.displayName
        case .attachment(let file): file.filename
        case .barcode(let code): code.text
        case .record(let id): linkedPrimary(id) ?? ""
        case .blank: ""
        case .error: "#ERROR!"
        case .list(let values):
            values.map { displayText(ofComputed: $0, field: field, linkedPrimary: linkedPrimary) }
                .filter { !$0.isEmpty }.joined(separator: ", ")
        }
    }

    /// A number as its field shows it, or as a field of the computed field's result would.
    static func displayText(of number: Double, _ field: Field) -> String {
        let (type, options) = field.shown
        switch type {
        case .percent:
            // ×100 in binary brings noise, such as 7.000000000000001 for 0.07: the shortest text
            // has none of it.
            let percent = number * 100
            let near = Double((percent * 1e10).rounded() / 1e10)
            let isNoise = (near - percent).magnitude <= percent.magnitude * 1e-14
            return text(of: isNoise ? near : percent, precision: options.precision) + "%"
        case .currency:
            let text = text(of: number.magnitude, precision: options.precision)
            return (number < 0 ? "-" : "") + (options.symbol ?? "") + text
        case .duration:
            return CellText.text(ofDuration: number, format: options.durationFormat)
        default:
            return text(of: number, precision: options.precision)
        }
    }

    /// Rounded half away from zero to `precision` decimals; the shortest exact text without one.
    static func text(of number: Double, precision: Int?) -> String {
        guard let precision, let scale = scales.indices.contains(precision) ? scales[precision] : nil,
            number.magnitude < 9_007_199_254_740_992 / scale
        else {
            return number.asWholeNumber.map(String.init) ?? number.description
        }
        let scaled = (number.magnitude * scale).rounded(.toNearestOrAwayFromZero)
        guard let units = scaled.asWholeNumber else { return number.description }
        let digits = String(units)
        let sign = number < 0 && units != 0 ? "-" : ""
        if precision == 0 { return sign + digits }
        let padded = String(repeating: "0", count: max(0, precision + 1 - digits.count)) + digits
        return sign + padded.dropLast(precision) + "." + padded.suffix(precision)
    }

    private static let scales: [Double] = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8]
}

extension Field {
    /// The type and options that its values are shown by: its own, or its result's.
    var shown: (type: FieldType, options: FieldOptions) {
        options.result.map { ($0.type, $0.options) } ?? (type, options)
    }
}
