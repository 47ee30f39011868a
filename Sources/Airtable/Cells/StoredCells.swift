import Domain

/// The cells of one row as they are stored: one compact JSON object keyed by the field's ordinal.
///
/// `{"1":"x","4":12.5,"7":["selAAAAAAAAAAAAAA"],"9":"2024-05-01","10":1714566896000}`: choices and
/// records by identifier, days as ISO text, moments as milliseconds, a ticked box as `true`; an
/// empty cell is absent, and what is none of these stands as `StoredComposite` says; what stands under 0 says
/// `ChangedTimes`. Renaming a field, choice or table changes no row, and both databases can
/// look inside with their JSON operators.
///
/// A codec of its own, not the general JSON reader, because it is the hot path of every read: it
/// goes from bytes to cell values with no tree between. It is strict all the same: a damaged row is
/// an error, never a crash.
enum StoredCells {
    /// Reads `text`; ordinals the model does not know (deleted fields) are passed over.
    ///
    /// - Throws: `.corrupt`.
    static func decode(_ text: String, model: TableModel) throws(AirtableError) -> [FieldID: CellValue] {
        var cells = [FieldID: CellValue](minimumCapacity: model.stored.count + model.createdTimeFields.count)
        var text = text
        let failure: AirtableError? = text.withUTF8 { bytes in
            var reader = StoredCellReader(bytes)
            do throws(AirtableError) {
                while let ordinal = try reader.nextKey() {
                    guard let field = model.storedField(ordinal: ordinal) else {
                        try reader.skipValue()
                        continue
                    }
                    cells[field.id] = try reader.value(field.kind)
                }
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
        return cells
    }

    /// The JSON text of `cells`; fields that the model does not store are left out.
    ///
    /// - Parameter times: see `Record.changedTimes`.
    static func encode(
        _ cells: [FieldID: CellValue],
        times: [FieldID: Instant] = [:],
        model: TableModel
    ) -> String {
        var writer = StoredCellWriter(capacity: 32 + cells.count * 32)
        if !times.isEmpty { writer.write(ChangedTimes.stored(times, model)) }
        for field in model.stored {
            guard let value = cells[field.id] else { continue }
            writer.write(value, ordinal: field.ordinal)
        }
        return writer.finish()
    }
}

/// Writes one row's cells.
struct StoredCellWriter {
    private var bytes: [UInt8] = []

    init(capacity: Int) {
        bytes.reserveCapacity(capacity)
        bytes.append(UInt8(ascii: "{"))
    }

    mutating func write(_ value: CellValue, ordinal: Int) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        bytes.append(UInt8(ascii: "\""))
        append(integer: Int64(ordinal))
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
        switch value {
        case .text(let text): append(quoted: text)
        case .number(let number): append(number: number)
        case .checked: bytes.append(contentsOf: "true".utf8)
        case .choice(let id): append(quotedASCII: id.description)
        case .choices(let ids): append(list: ids) { $0.description }
        case .date(let date): append(quotedASCII: date.iso8601)
        case .dateTime(let instant): append(integer: instant.milliseconds)
        case .links(let ids): append(list: ids) { $0.description }
        case .computed(.text(let text)): append(quoted: text)
        case .computed(.number(let number)): append(number: number)
        case .computed(let value): append(json: StoredComposite.json(of: value))
        case .collaborator(let person): append(json: StoredComposite.json(of: person))
        case .collaborators(let people): append(json: .array(people.map(StoredComposite.json)))
        case .attachments(let files): append(json: .array(files.map(StoredComposite.json)))
        case .barcode(let code): append(json: StoredComposite.json(of: code))
        case .button(let button): append(json: StoredComposite.json(of: button))
        case .aiText(let text): append(json: StoredComposite.json(of: text))
        }
    }

    /// Writes when cells were changed; before any of these.
    mutating func write(_ times: [(milliseconds: Int64, ordinals: [Int])]) {
        if times.isEmpty { return }
        bytes.append(contentsOf: ChangedTimes.prefix.utf8)
        for (place, time) in times.enumerated() {
            bytes.append(place == 0 ? UInt8(ascii: "{") : UInt8(ascii: ","))
            bytes.append(UInt8(ascii: "\""))
            append(integer: time.milliseconds)
            bytes.append(contentsOf: "\":[".utf8)
            for (place, ordinal) in time.ordinals.enumerated() {
                if place > 0 { bytes.append(UInt8(ascii: ",")) }
                append(integer: Int64(ordinal))
            }
            bytes.append(UInt8(ascii: "]"))
        }
        bytes.append(UInt8(ascii: "}"))
    }

    mutating func finish() -> String {
        bytes.append(UInt8(ascii: "}"))
        return String(decoding: bytes, as: UTF8.self)
    }

    private mutating func append(json: JSONValue) { bytes.append(contentsOf: json.encoded()) }

    private mutating func append(quotedASCII text: String) {
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: text.utf8)
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func append<Element>(list: [Element], _ text: (Element) -> String) {
        bytes.append(UInt8(ascii: "["))
        for (position, element) in list.enumerated() {
            if position > 0 { bytes.append(UInt8(ascii: ",")) }
            append(quotedASCII: text(element))
        }
        bytes.append(UInt8(ascii: "]"))
    }

    private mutating func append(quoted text: String) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { source in
            var start = 0
            for position in 0..<source.count {
                let byte = source[position]
                if byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { continue }
                bytes.append(contentsOf: UnsafeBufferPointer(rebasing: source[start..<position]))
                start = position + 1
                append(escaped: byte)
            }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: source[start..<source.count]))
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func append(escaped byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        default:
            let digits = Array("0123456789abcdef".utf8)
            bytes.append(contentsOf: "u00".utf8)
            bytes.append(digits[Int(byte >> 4)])
            bytes.append(digits[Int(byte & 15)])
        }
    }

    private mutating func append(number: Double) {
        if let whole = number.asWholeNumber {
            append(integer: whole)
        } else {
            bytes.append(contentsOf: number.description.utf8)
        }
    }

    private mutating func append(integer: Int64) {
        if integer < 0 { bytes.append(UInt8(ascii: "-")) }
        var rest = integer.magnitude
        let start = bytes.count
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }
}

extension Double {
    /// This number as an integer, when it is one that a `Double` holds exactly; −0 is 0.
    var asWholeNumber: Int64? {
        guard magnitude < 9_007_199_254_740_992, self == rounded(.towardZero) else { return nil }
        return Int64(self)
    }
}
