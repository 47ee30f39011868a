/// A type that crosses the wire as JSON and says beside itself what that JSON looks like.
///
/// Tests validate encoded samples against `schema`, so the two can't drift apart.
public protocol WireType: Codable, Sendable {
    static var schema: JSONSchema { get }
}
