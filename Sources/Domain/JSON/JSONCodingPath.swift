/// The way to a value, from the inside out, so that going deeper shares what is above.
final class JSONCodingPath: Sendable {
    enum Step: Sendable {
        case key(any CodingKey)
        case index(Int)
    }

    private let step: Step
    private let parent: JSONCodingPath?

    init(_ step: Step, in parent: JSONCodingPath?) {
        self.step = step
        self.parent = parent
    }

    /// The same from the outside in, as `Codable` wants it.
    static func keys(_ path: JSONCodingPath?) -> [any CodingKey] {
        var keys: [any CodingKey] = []
        var path = path
        while let node = path {
            switch node.step {
            case .key(let key): keys.append(key)
            case .index(let index): keys.append(JSONCodingKey(index: index))
            }
            path = node.parent
        }
        return keys.reversed()
    }

    /// `records[3].fields.Name`; keys that are no plain words as `["Due date"]`; empty at the root.
    static func text(_ keys: [any CodingKey]) -> String {
        keys.reduce(into: "") { text, key in
            if let index = key.intValue {
                text += "[\(index)]"
            } else if isWord(key.stringValue) {
                text += text.isEmpty ? key.stringValue : "." + key.stringValue
            } else {
                text += "[\(JSONValue.string(key.stringValue).text)]"
            }
        }
    }

    private static func isWord(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") || $0.isASCIIAlphanumeric }
    }
}

/// A key known only by its text or its place.
struct JSONCodingKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(stringValue: String) {
        self.stringValue = stringValue
        intValue = nil
    }

    init(intValue: Int) { self.init(index: intValue) }

    init(index: Int) {
        stringValue = String(index)
        intValue = index
    }

    static let `super` = JSONCodingKey(stringValue: "super")
}

extension UInt8 {
    fileprivate var isASCIIAlphanumeric: Bool {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }
}
