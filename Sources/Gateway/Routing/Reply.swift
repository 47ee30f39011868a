import Domain
import HTTPTypes

/// What a handler answers, before the edge adds its headers.
struct Reply: Sendable {
    var status: HTTPResponse.Status
    var contentType: String
    var headers: HTTPFields
    var body: [UInt8]

    init(status: HTTPResponse.Status = .ok, contentType: String, headers: HTTPFields = [:], body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.headers = headers
        self.body = body
    }

    static func json(_ value: some WireType, status: HTTPResponse.Status = .ok) throws -> Self {
        Self(status: status, contentType: "application/json", body: try JSONCoder.encode(value))
    }
}
