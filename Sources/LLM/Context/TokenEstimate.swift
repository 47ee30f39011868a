import Domain

/// Tokens of a request before anybody counts them.
///
/// Tokenizers differ, so there are two figures: `upperBound` for reserving, where passing a cap must be impossible, and
/// `likely` for fitting a window, where an upper bound would leave half of a small model's window empty.
public struct TokenEstimate: Sendable, Hashable {
    /// Letters and spaces as half a token, every other byte as one: digits and rare scripts are split that finely.
    public private(set) var upperBound: Int
    /// A third of a byte each, rounded up. English and JSON need about a quarter.
    public private(set) var likely: Int

    public static let zero = TokenEstimate(upperBound: 0, likely: 0)

    private init(upperBound: Int, likely: Int) {
        self.upperBound = upperBound
        self.likely = likely
    }

    public init(of text: String) {
        var text = text
        self = text.withUTF8 { bytes in
            var letters = 0
            for byte in bytes {
                let isLetter = (byte | 0x20) >= UInt8(ascii: "a") && (byte | 0x20) <= UInt8(ascii: "z")
                if isLetter || byte == UInt8(ascii: " ") { letters += 1 }
            }
            let others = bytes.count - letters
            return Self(upperBound: (letters + 1) / 2 + others, likely: (bytes.count + 2) / 3)
        }
    }

    /// A message as it is sent: the provider's own form of it where there is one.
    public init(of message: ModelMessage) {
        self = .perMessage
        if let original = message.original {
            self += Self(of: original.value.text)
            return
        }
        for part in message.parts {
            switch part {
            case .text(let text), .thought(let text): self += Self(of: text)
            case .toolCall(let call): self += Self(of: call.id) + Self(of: call.name) + Self(of: call.arguments.text)
            case .toolResult(let result):
                self += Self(of: result.callID) + Self(of: result.name) + Self(of: result.text)
            }
        }
    }

    public init(of tool: ModelTool) {
        self = .perMessage + Self(of: tool.name) + Self(of: tool.description) + Self(of: tool.parameters.json.text)
    }

    /// Everything that is read for one turn.
    public init(of request: ModelRequest) {
        self = .perMessage + Self(of: request.system)
        for message in request.messages { self += Self(of: message) }
        for tool in request.tools { self += Self(of: tool) }
        if let schema = request.responseSchema { self += Self(of: schema.json.text) }
    }

    /// Roles, names and separators that providers add.
    private static let perMessage = TokenEstimate(upperBound: 16, likely: 8)

    public static func + (left: Self, right: Self) -> Self {
        Self(upperBound: left.upperBound + right.upperBound, likely: left.likely + right.likely)
    }

    public static func += (left: inout Self, right: Self) { left = left + right }
}
