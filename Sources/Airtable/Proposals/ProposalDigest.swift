import Crypto
package import Domain

/// SHA-256 over values in order, each with its length: no two sequences of values read the same.
package struct ProposalDigest {
    private var hash = SHA256()

    package init(_ purpose: String) { add(.string(purpose)) }

    package mutating func add(_ value: JSONValue) {
        add(bytes: value.encoded())
    }

    package mutating func add(bytes: [UInt8]) {
        withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { hash.update(bufferPointer: $0) }
        hash.update(data: bytes)
    }

    package func finish() -> [UInt8] { Array(hash.finalize()) }

    /// 64 hexadecimal digits.
    package func text() -> String {
        finish().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
