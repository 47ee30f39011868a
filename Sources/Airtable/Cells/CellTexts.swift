public import Domain

/// How `cellFormat=string` shows cells: as texts, for readers in one time zone and of one language.
///
/// What the reference leaves open is decided here:
/// - A field with a time zone of its own shows its moments there; `client` is the reader's.
/// - `local` dates follow the reader's country: month first in the United States, year first where ISO or East Asian
///   order is usual, day first with dots or slashes elsewhere.
/// - Numbers are as exact as their field says, without separators between thousands.
/// - Attachments are `name (address)`; of a list of several values, those that hold a comma stand in double quotes.
public struct CellTexts: Sendable {
    private let zone: CellZone?
    private let localDate: LocalDate
    private let address: AttachmentAddress?

    /// - Parameters:
    ///   - timeZone: an IANA name, or `utc`.
    ///   - locale: such as `en-us` or `de`.
    /// - Throws: `.invalidRequest` for a time zone that there is none of.
    public init(timeZone: String, locale: String, address: AttachmentAddress? = nil) throws(AirtableError) {
        guard CellZone.exists(timeZone) else {
            throw AirtableError(
                .invalidRequest,
                "\"\(timeZone.cut(to: 64))\" is no time zone.",
                hint: "use a name such as Europe/Paris, or utc"
            )
        }
        zone = CellZone.named(timeZone)
        localDate = LocalDate(locale: locale)
        self.address = address
    }

    /// The `fields` object of a record, every cell a text; those that show nothing are left out.
    public func fields(
        of record: Record,
        table: Table,
        byID: Bool = false,
        linkedPrimary: (RecordID) -> String?
    ) -> JSONObject {
        JSONObject(
            table.fields.compactMap { field in
                guard let value = record.cells[field.id] else { return nil }
                let text = text(of: value, field: field, linkedPrimary: linkedPrimary)
                return text.isEmpty ? nil : (key: byID ? field.id.description : field.name, value: .string(text))
            }
        )
    }

    /// - Parameter linkedPrimary: the primary value of a linked record; those it doesn't know are left out.
    public func text(of value: CellValue, field: Field, linkedPrimary: (RecordID) -> String?) -> String {
        switch value {
        case .text, .number, .checked, .choice, .collaborator, .barcode, .button, .aiText:
            CellCodec.displayText(of: value, field: field, linkedPrimary: linkedPrimary)
        case .choices(let ids): Self.list(ids.compactMap { field.options.choiceName($0) })
        case .collaborators(let people): Self.list(people.map(\.displayName))
        case .links(let ids): Self.list(ids.compactMap(linkedPrimary))
        case .attachments(let files): Self.list(files.map(text))
        case .date(let date): text(of: date, field.options)
        case .dateTime(let instant) where field.showsDays: text(of: day(instant), field.options)
        case .dateTime(let instant): text(of: instant, field.options)
        case .computed(let value): text(of: value, field: field, linkedPrimary: linkedPrimary)
        }
    }

    private func text(of value: ComputedValue, field: Field, linkedPrimary: (RecordID) -> String?) -> String {
        switch value {
        case .text, .number, .special, .boolean, .collaborator, .barcode, .record, .blank, .error:
            CellCodec.displayText(ofComputed: value, field: field, linkedPrimary: linkedPrimary)
        case .day(let date): text(of: date, field.shown.options)
        case .moment(let instant): text(of: instant, field.shown.options)
        case .attachment(let file): text(of: file)
        case .list(let values):
            Self.list(values.map { text(of: $0, field: field, linkedPrimary: linkedPrimary) }.filter { !$0.isEmpty })
        }
    }

    // MARK: Parts

    private func text(of file: Attachment) -> String {
        address?(file, nil).map { "\(file.filename) (\($0))" } ?? file.filename
    }

    static func list(_ texts: [String]) -> String {
        guard texts.count > 1 else { return texts.first ?? "" }
        return texts.map { text in
            text.contains(",") || text.contains("\"") ? "\"\(text.replacing("\"", with: "\"\""))\"" : text
        }.joined(separator: ", ")
    }

    /// A time of creation or change shows the reader's day.
    private func day(_ instant: Instant) -> CalendarDate { CalendarDate(zone?.local(instant) ?? instant) }

    private func text(of instant: Instant, _ options: FieldOptions) -> String {
        let name = options.timeZone ?? "client"
        let zone = name.lowercased() == "client" ? zone : CellZone.named(name)
        let local = zone?.local(instant) ?? instant
        let date = CalendarDate(local)
        let minutes = Int((local.milliseconds - Instant(date).milliseconds) / 60_000)
        return "\(text(of: date, options)) \(Self.clock(minutes, isTwelveHour: options.timeFormat == "12hour"))"
    }

    private func text(of date: CalendarDate, _ options: FieldOptions) -> String {
        let iso = date.iso8601
        let parts = iso.split(separator: "-").compactMap { Int($0) }
        // A year before 1 has a sign of its own; nobody writes those otherwise.
        guard parts.count == 3, !iso.hasPrefix("-") else { return iso }
        let (year, month, day) = (parts[0], parts[1], parts[2])
        switch options.dateFormat {
        case "us": return "\(month)/\(day)/\(year)"
        case "european": return "\(day)/\(month)/\(year)"
        case "friendly": return "\(Self.months[month - 1]) \(day), \(year)"
        case "local": return localDate.text(year: year, month: month, day: day, iso: iso)
        default: return iso
        }
    }

    /// `3:05pm`, `15:05`.
    private static func clock(_ minutes: Int, isTwelveHour: Bool) -> String {
        let (hour, minute) = (minutes / 60, minutes % 60)
        let two = minute < 10 ? "0\(minute)" : "\(minute)"
        guard isTwelveHour else { return "\(hour < 10 ? "0" : "")\(hour):\(two)" }
        return "\(hour % 12 == 0 ? 12 : hour % 12):\(two)\(hour < 12 ? "am" : "pm")"
    }

    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]

    /// The short date of a language and country.
    private enum LocalDate {
        case monthFirst, iso, yearFirst, dots, slashes

        init(locale: String) {
            let parts = locale.lowercased().split { $0 == "-" || $0 == "_" }.map(String.init)
            let (language, region) = (parts.first ?? "en", parts.dropFirst().last ?? "")
            switch (language, region) {
            case ("en", ""), ("en", "us"), (_, "us"): self = .monthFirst
            case ("sv", _), ("lt", _), ("en", "ca"): self = .iso
            case ("ja", _), ("zh", _), ("ko", _), ("hu", _): self = .yearFirst
            case ("de", _), ("cs", _), ("sk", _), ("pl", _), ("fi", _), ("nb", _), ("no", _), ("da", _), ("ru", _),
                ("uk", _), ("tr", _), ("ro", _), ("bg", _), ("et", _), ("lv", _), ("sl", _), ("hr", _):
                self = .dots
            default: self = .slashes
            }
        }

        func text(year: Int, month: Int, day: Int, iso: String) -> String {
            func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
            return switch self {
            case .monthFirst: "\(month)/\(day)/\(year)"
            case .iso: iso
            case .yearFirst: "\(year)/\(two(month))/\(two(day))"
            case .dots: "\(two(day)).\(two(month)).\(year)"
            case .slashes: "\(two(day))/\(two(month))/\(year)"
            }
        }
    }
}
