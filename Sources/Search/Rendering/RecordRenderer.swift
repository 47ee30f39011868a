import Domain

/// Turns a record into the units it is found by. Pure: the same record and texts give the same units.
///
/// - One text for each non-empty long field: `primary value · Field: text`. Long are multi-line text, always, and a
///   single-line text whose value is longer than `shortTextScalars`.
/// - One text for all short fields together: a line `Field: value` for each non-empty one, in table order, the primary
///   field included; links by the linked records' primary values, selects by name, dates in ISO form.
///
/// A long field that the model takes whole is cut into passages of a sentence or a few, at most `passagesMax`; a longer
/// one into windows. Each stands after the primary value, so that it keeps its subject. The finer the cut, the better
/// what is asked for stands out: of 150 questions on the demo base a vector for each field answers 101 first and 123
/// in the first three, up to four for each 108 and 128, one for each sentence 109 and 130.
struct RecordRenderer: Sendable {
    /// A single-line text of more Unicode scalars than this is a long text: it says something, it doesn't name it.
    static let shortTextScalars = 120
    /// The primary value is repeated in every unit, so it is cut after this many Unicode scalars.
    static let prefixScalars = 100
    /// Passages of a text that fits into one window: what makes vectors finer makes the index larger.
    static let passagesMax = 4
    /// A sentence of fewer tokens says too little by itself.
    static let passageTokensMin = 6
    /// Links shown in a cell: a record that thousands link to is not told by their names.
    static let linksShown = 50

    let size: TextWindows.Size
    /// Tokens that the model takes, without the special ones around them.
    let tokenLimit: Int
    /// UTF-8 ranges of a text's tokens, ascending, without special tokens.
    let tokens: @Sendable (String) -> [Range<Int>]

    init(
        tokenLimit: Int,
        size: TextWindows.Size = TextWindows.Size(),
        tokens: @escaping @Sendable (String) -> [Range<Int>]
    ) {
        self.tokenLimit = tokenLimit
        self.size = size
        self.tokens = tokens
    }

    /// All units of a record, the short group first, long fields in table order.
    ///
    /// - Parameter display: a cell's value as people read it, in one string.
    func units(of record: Record, in table: Table, display: (CellValue, Field) -> String) -> [SearchUnit] {
        Self.texts(of: record, in: table, display: display).flatMap(units)
    }

    /// The texts of a record's groups; groups without text are left out.
    static func texts(of record: Record, in table: Table, display: (CellValue, Field) -> String) -> [GroupText] {
        var primary = ""
        if let field = table.field(id: table.primaryField), let value = record.cells[field.id] {
            primary = oneLine(display(value, field), scalars: prefixScalars)
        }
        var short = ShortText()
        var long: [GroupText] = []
        for field in table.fields {
            guard let value = record.cells[field.id] else { continue }
            let text = display(value, field)
            guard text.contains(where: { !$0.isWhitespace }) else { continue }
            guard isLong(field, text) else {
                short.append(field: field, value: text)
                continue
            }
            let subject = field.id == table.primaryField || primary.isEmpty ? "" : "\(primary) · "
            long.append(
                GroupText(
                    group: .long(field.id),
                    prefix: "\(subject)\(field.name): ",
                    alwaysPrefixed: true,
                    text: text,
                    lines: []
                )
            )
        }
        guard !short.lines.isEmpty else { return long }
        let prefix = primary.isEmpty ? "" : "\(primary) · "
        let group = GroupText(
            group: .short,
            prefix: prefix,
            alwaysPrefixed: false,
            text: short.text,
            lines: short.lines
        )
        return [group] + long
    }

    /// Cuts one group's text.
    func units(of group: GroupText) -> [SearchUnit] {
        let whole = group.alwaysPrefixed ? group.prefix + group.text : group.text
        let bytes = Array(group.text.utf8)
        var windows: [Range<Int>]
        // A token is at least a byte, so a text of few bytes needs no counting.
        if whole.utf8.count <= tokenLimit || tokens(whole).count <= tokenLimit {
            windows = group.lines.isEmpty ? passages(of: group.text, bytes) : []
            if windows.count < 2 {
                let range = 0..<group.text.unicodeScalars.count
                return [SearchUnit(group: group.group, window: 0, range: range, text: whole, isEncoded: true)]
            }
        } else {
            var size = size
            size.tokens = max(size.overlap.upperBound * 2, min(size.tokens, tokenLimit - tokens(group.prefix).count))
            windows = TextWindows.cut(bytes, tokens: tokens(group.text), size: size)
        }
        let scalars = ScalarOffsets(bytes)
        return windows.enumerated().map { number, window in
            SearchUnit(
                group: group.group,
                window: number,
                range: scalars[window.lowerBound]..<scalars[window.upperBound],
                text: group.prefix + String(decoding: bytes[window], as: UTF8.self),
                isEncoded: number < Limits.windowsPerField
            )
        }
    }

    private func passages(of text: String, _ bytes: [UInt8]) -> [Range<Int>] {
        TextWindows.passages(
            bytes,
            tokens: tokens(text),
            count: Self.passagesMax,
            tokensMin: Self.passageTokensMin
        )
    }

    private static func isLong(_ field: Field, _ text: String) -> Bool {
        switch field.type {
        case let type where type.isAlwaysLong: true
        case .singleLineText: text.unicodeScalars.dropFirst(shortTextScalars).first != nil
        default: false
        }
    }

    /// `text` on one line, cut after `scalars` Unicode scalars.
    private static func oneLine(_ text: String, scalars: Int) -> String {
        let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return String(String.UnicodeScalarView(words.unicodeScalars.prefix(scalars)))
    }
}

extension FieldType {
    /// Texts that say something, however short.
    var isAlwaysLong: Bool { [.multilineText, .richText, .aiText].contains(self) }
}

/// `Field: value` lines, and where they lie.
private struct ShortText {
    private(set) var text = ""
    private(set) var lines: [GroupText.Line] = []
    private var length = 0

    mutating func append(field: Field, value: String) {
        if !lines.isEmpty {
            text.append("\n")
            length += 1
        }
        let line = "\(field.name): \(value)"
        let start = length
        text.append(line)
        length += line.unicodeScalars.count
        lines.append(GroupText.Line(field: field.id, range: start..<length))
    }
}

/// Turns UTF-8 offsets of one text into offsets in Unicode scalars, for offsets that rise.
struct ScalarOffsets {
    private let offsets: [Int32]

    init(_ bytes: [UInt8]) {
        var offsets: [Int32] = []
        offsets.reserveCapacity(bytes.count + 1)
        var count: Int32 = 0
        for byte in bytes {
            // Inside a scalar the offset is that of its start.
            if byte & 0xC0 != 0x80 { count += 1 }
            offsets.append(count - 1)
        }
        offsets.append(count)
        self.offsets = offsets
    }

    subscript(utf8Offset: Int) -> Int { Int(offsets[utf8Offset]) }
}
