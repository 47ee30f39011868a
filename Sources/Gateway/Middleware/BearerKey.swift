import Access
import HTTPTypes

/// The key in the header `Authorization: Bearer …`, the only place where one is looked for.
enum BearerKey {
    /// - Throws: `unauthenticated` without such a header, with two of them and for another scheme.
    static func text(in headers: HTTPFields) throws(AccessError) -> String {
        let values = headers[values: .authorization]
        guard let value = values.first else { throw AccessError.unauthenticated("no key") }
        guard values.count == 1 else { throw AccessError.unauthenticated("several keys") }
        guard let space = value.utf8.prefix(7).firstIndex(of: UInt8(ascii: " ")),
            value[..<space].lowercased() == "bearer"
        else { throw AccessError.unauthenticated("another scheme") }
        return String(value[value.index(after: space)...])
    }

    /// RFC 6750: without an error when no key came, so that a client learns only what to send.
    static func challenge(for headers: HTTPFields) -> String {
        let realm = "Bearer realm=\"pyairtable-ai\""
        return headers.contains(.authorization) ? "\(realm), error=\"invalid_token\"" : realm
    }
}
