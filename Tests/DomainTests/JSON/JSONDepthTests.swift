import Domain
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("JSON: the deepest documents")
struct JSONDepthTests {
    /// As deep as any limits allow, arrays and objects in turn.
    private static let document = nested(pairs: 128)

    private static func nested(pairs: Int) -> [UInt8] {
        Array((String(repeating: #"[{"a":"#, count: pairs) + "0" + String(repeating: "}]", count: pairs)).utf8)
    }

    private indirect enum Nested: Codable, Equatable {
        case leaf(Int)
        case array([Nested])
        case object([String: Nested])

        init(from decoder: any Decoder) throws {
            if let array = try? [Nested](from: decoder) {
                self = .array(array)
            } else if let object = try? [String: Nested](from: decoder) {
                self = .object(object)
            } else {
                self = .leaf(try Int(from: decoder))
            }
        }

        func encode(to encoder: any Encoder) throws {
            switch self {
            case .leaf(let value): try value.encode(to: encoder)
            case .array(let value): try value.encode(to: encoder)
            case .object(let value): try value.encode(to: encoder)
            }
        }
    }

    @Test("fit a stack of 512 KiB through reading, comparing, writing and decoding")
    func smallStack() async throws {
        let outcome = Mutex<Result<Bool, any Error>?>(nil)
        let thread = Thread {
            let result = Result {
                let limits = JSONLimits(depth: 256)
                let value = try JSONValue(parsing: Self.document, limits: limits)
                let other = try JSONValue(parsing: Self.document, limits: limits)
                let isSame = value == other && value.hashValue == other.hashValue
                let isWritten = value.encoded() == Self.document
                let isWrapped = try JSONCoder.decode(JSONValue.self, from: value) == value
                // Recursive types of our own are decoded at the standard depth.
                let standard = try JSONValue(parsing: Self.nested(pairs: 32))
                let nested = try JSONCoder.decode(Nested.self, from: standard)
                return try isSame && isWritten && isWrapped && JSONCoder.value(of: nested) == standard
            }
            outcome.withLock { $0 = result }
        }
        thread.stackSize = 512 * 1_024
        thread.start()
        try await eventually("the thread's end") { outcome.withLock { $0 != nil } }
        #expect(try outcome.withLock { try $0?.get() } == true)
    }

    @Test("are refused one level deeper")
    func oneDeeper() {
        let error = #expect(throws: JSONError.self) {
            try JSONValue(parsing: Array("[".utf8) + Self.document + Array("]".utf8), limits: JSONLimits(depth: .max))
        }
        #expect(error?.code == .tooDeep)
    }
}
