import Domain

extension FunctionDefinition {
    static let textFunctions: [FunctionDefinition] = [
        FunctionDefinition("CONCATENATE", 1, nil, gives: .text) { arguments, _ in
            var result = ""
            for argument in arguments {
                guard let text = argument.asText, result.utf8.count + text.utf8.count <= Limits.formulaTextBytes else {
                    return .error
                }
                result += text
            }
            return .text(result)
        },
        FunctionDefinition("ENCODE_URL_COMPONENT", 1, 1, gives: .text, mapText { $0.percentEncoded }),
        FunctionDefinition("FIND", 2, 3, gives: .number) { arguments, _ in
            found(arguments) { $1.unitOffset(of: $0, from: $2) }.map { .number(Double($0.map { $0 + 1 } ?? 0)) }
                ?? .error
        },
        FunctionDefinition("LEFT", 2, 2, gives: .text) { arguments, _ in
            withTextAndCount(arguments) { $0.units(from: 0, to: $1) }
        },
        FunctionDefinition("LEN", 1, 1, gives: .number) { arguments, _ in
            arguments[0].asText.map { .number(Double($0.utf16.count)) } ?? .error
        },
        FunctionDefinition("LOWER", 1, 1, gives: .text, mapText { $0.lowercased() }),
        FunctionDefinition("MID", 3, 3, gives: .text) { arguments, _ in
            guard let text = arguments[0].asText, let start = arguments[1].asCount, let count = arguments[2].asCount
            else {
                return .error
            }
            let first = max(start - 1, 0)
            return .text(count > 0 ? text.units(from: first, to: first + count) : "")
        },
        FunctionDefinition("REPLACE", 4, 4, gives: .text) { arguments, _ in
            guard let text = arguments[0].asText, let start = arguments[1].asCount, let count = arguments[2].asCount,
                let new = arguments[3].asText
            else { return .error }
            let first = max(start - 1, 0)
            let end = text.utf16.count
            return .text(text.units(from: 0, to: first) + new + text.units(from: first + max(count, 0), to: end))
        },
        FunctionDefinition("REPT", 2, 2, gives: .text) { arguments, _ in
            guard let text = arguments[0].asText, let count = arguments[1].asCount else { return .error }
            guard count > 0, !text.isEmpty else { return .text("") }
            guard count <= Limits.formulaTextBytes / text.utf8.count else { return .error }
            return .text(String(repeating: text, count: count))
        },
        FunctionDefinition("RIGHT", 2, 2, gives: .text) { arguments, _ in
            withTextAndCount(arguments) { $0.units(from: $0.utf16.count - $1, to: $0.utf16.count) }
        },
        FunctionDefinition("SEARCH", 2, 3, gives: .number) { arguments, _ in
            let place = found(arguments) { needle, text, start in
                FormulaDecisions.searchIgnoresCase
                    ? text.unitOffsetIgnoringCase(of: needle, from: start) : text.unitOffset(of: needle, from: start)
            }
            guard let place else { return .error }
            return place.map { .number(Double($0 + 1)) } ?? .blank
        },
        FunctionDefinition("SUBSTITUTE", 3, 4, gives: .text) { arguments, _ in
            guard let text = arguments[0].asText, let old = arguments[1].asText, let new = arguments[2].asText else {
                return .error
            }
            if arguments.count == 3 { return text.substituting(old, new, at: nil) }
            guard let place = arguments[3].asCount else { return .error }
            return text.substituting(old, new, at: place)
        },
        FunctionDefinition("T", 1, 1, gives: .text) { arguments, _ in
            if case .text(let text) = arguments[0].scalar { .text(text) } else { .blank }
        },
        FunctionDefinition("TRIM", 1, 1, gives: .text, mapText { $0.trimmingSpaces }),
        FunctionDefinition("UPPER", 1, 1, gives: .text, mapText { $0.uppercased() }),
    ]

    private static func mapText(
        _ map: @escaping @Sendable (String) -> String
    ) -> @Sendable ([FormulaValue], FormulaEnvironment) -> FormulaValue {
        { arguments, _ in arguments[0].asText.map { .text(map($0)) } ?? .error }
    }

    /// LEFT and RIGHT.
    private static func withTextAndCount(
        _ arguments: [FormulaValue],
        _ cut: (String, Int) -> String
    ) -> FormulaValue {
        guard let text = arguments[0].asText, let count = arguments[1].asCount else { return .error }
        return .text(count > 0 ? cut(text, count) : "")
    }

    /// FIND and SEARCH: the place from 0, nil in the outer sense when an argument is none.
    private static func found(
        _ arguments: [FormulaValue],
        _ search: (_ needle: String, _ text: String, _ start: Int) -> Int?
    ) -> Int?? {
        guard let needle = arguments[0].asText, let text = arguments[1].asText else { return nil }
        guard let start = arguments.count > 2 ? arguments[2].asCount : 1 else { return nil }
        return .some(search(needle, text, max(start - 1, 0)))
    }
}

extension String {
    /// Every occurrence of `old` replaced, or the one at `place` (from 1) alone; `.error` when the result is too long.
    fileprivate func substituting(_ old: String, _ new: String, at place: Int?) -> FormulaValue {
        if let place, place < 1 { return .text(self) }
        var offsets = byteOffsets(of: old, limit: place ?? .max)
        if let place { offsets = offsets.count == place ? [offsets[place - 1]] : [] }
        guard !offsets.isEmpty else { return .text(self) }
        let (growth, overflows) = (new.utf8.count - old.utf8.count).multipliedReportingOverflow(by: offsets.count)
        guard !overflows, utf8.count + growth <= Limits.formulaTextBytes else { return .error }
        var text = self
        let bytes = text.withUTF8 { bytes in
            var result: [UInt8] = []
            result.reserveCapacity(bytes.count + growth)
            var done = 0
            for offset in offsets {
                result += bytes[done..<offset]
                result += new.utf8
                done = offset + old.utf8.count
            }
            result += bytes[done...]
            return result
        }
        return .text(String(decoding: bytes, as: UTF8.self))
    }

    /// RFC 3986: everything but letters, digits and `-_.~` as the bytes of its UTF-8.
    fileprivate var percentEncoded: String {
        let digits = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: "~"):
                result.append(byte)
            default:
                result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
