/// A JSON value kept as the bytes it came in, for passing on without a change: white space, escapes, order and
/// the spelling of numbers survive decoding and encoding by `JSONCoder`.
public struct RawJSON: Sendable, Hashable {
    /// One valid JSON value, without white space around it.
    public let bytes: [UInt8]

    /// Checks `bytes`, which must be one whole document.
    public init(validating bytes: [UInt8], limits: JSONLimits = .standard) throws(JSONError) {
        let extent = try bytes.withUnsafeBufferPointer { (buffer) throws(JSONError) in
            let root = try JSONTape(scanning: buffer, limits: limits).entries[0]
            return Int(root.start)..<Int(root.end)
        }
        self.bytes = extent.count == bytes.count ? bytes : Array(bytes[extent])
    }

    public init(_ value: JSONValue) { bytes = value.encoded() }

    /// Takes bytes that the scanner has checked.
    init(scanned bytes: [UInt8]) { self.bytes = bytes }

    public var value: JSONValue {
        bytes.withUnsafeBufferPointer { buffer in
            do throws(JSONError) {
                return try JSONValue(parsing: buffer, limits: .trusted)
            } catch {
                preconditionFailure("a RawJSON holds checked JSON: \(error.message)")
            }
        }
    }

    public var text: String { String(decoding: bytes, as: UTF8.self) }
}
