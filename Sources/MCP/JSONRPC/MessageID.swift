package import Domain

/// What a request is known by: a string or an integer, echoed exactly as it came.
///
/// The integer's literal is kept, so those beyond 64 bits survive; `7` is not `"7"`.
package struct MessageID: Sendable, Hashable {
    package let json: JSONValue

    /// Reads a request's `id`; nil for null, fractions, exponents and everything that is no string or number.
    package init?(_ value: JSONValue) {
        switch value {
        case .string:
            json = value
        case .number(let number) where number.hasIntegerLiteral:
            json = value
        default:
            return nil
        }
    }

    /// The id of a request of our own.
    init(_ number: Int) { json = .number(JSONNumber(number)) }
}

extension JSONNumber {
    /// Whether it is written as an integer: digits, perhaps a sign.
    var hasIntegerLiteral: Bool {
        text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "-") }
    }
}
