/// What makes vectors comparable: equal identities, and only those, give vectors of one space.
///
/// Kept with every stored vector and in every index file's header.
public struct ModelIdentity: Sendable, Hashable {
    public enum Pooling: String, Sendable, Hashable {
        /// The mean over all tokens, special ones included.
        case mean
        /// The first token's vector.
        case cls
        /// No transformer: a sum over features.
        case sum
        /// Done elsewhere, in a way that belongs to the model's name.
        case remote
    }

    public enum Normalisation: String, Sendable, Hashable {
        /// Unit length.
        case l2
    }

    public enum Precision: String, Sendable, Hashable {
        case fp32
    }

    /// A name for people, such as "all-MiniLM-L6-v2". Part of the identity.
    public let id: String
    /// Fingerprint of the weights and the tokenizer: 32 hexadecimal digits, over every byte. Shows damage and
    /// tells models apart; unlike a SHA-256 it resists no forger, and costs 10 ms instead of hundreds.
    public let weightsHash: String
    public let dimensions: Int
    public let pooling: Pooling
    /// Put before each text ("query: " in some models); empty here so far.
    public let prefix: String
    public let normalisation: Normalisation
    public let precision: Precision
    /// Tokens read of each text: a longer reading gives another vector.
    public let tokenLimit: Int

    public init(
        id: String,
        weightsHash: String,
        dimensions: Int,
        pooling: Pooling,
        prefix: String = "",
        normalisation: Normalisation = .l2,
        precision: Precision = .fp32,
        tokenLimit: Int
    ) {
        self.id = id
        self.weightsHash = weightsHash
        self.dimensions = dimensions
        self.pooling = pooling
        self.prefix = prefix
        self.normalisation = normalisation
        self.precision = precision
        self.tokenLimit = tokenLimit
    }

    /// One line without spaces, stable for ever: what index headers and the cache's key hold.
    public var text: String {
        [
            "v1",
            Self.escaped(id),
            weightsHash,
            "\(dimensions)d",
            pooling.rawValue,
            "prefix=" + Self.escaped(prefix),
            normalisation.rawValue,
            precision.rawValue,
            "\(tokenLimit)t",
        ].joined(separator: "/")
    }

    /// Percent-encodes all but letters, digits, "." "_" and "-", so that no name can imitate another field.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += digits.count == 1 ? "%0" + digits : "%" + digits
            }
        }
        return result
    }
}
