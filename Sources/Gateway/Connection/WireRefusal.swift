import Domain
import HTTPTypes

/// Why the bytes of a connection are not taken for a request (RFC 9112). The raw value is a metric's label.
///
/// What two programs might read differently is refused, never repaired: a proxy in front of this server that took
/// the other reading would hand one client's bytes to another.
enum WireFault: String, Sendable, Hashable, CaseIterable {
    case bareLineFeed, bareCarriageReturn, controlCharacter, emptyLines
    case requestLine, method, target, version
    case foldedField, spaceBeforeColon, fieldName
    case missingHost, severalHosts, invalidHost, foreignAuthority
    case lengthAndEncoding, severalLengths, invalidLength, transferEncoding
    case chunkSize, chunkEnd, chunkExtension, trailer
    /// An `Expect` other than `100-continue`.
    case expectation
    case targetTooLong, headTooLarge, tooManyFields
    case unsupportedVersion, unsupportedMethod
    case headTime, bodyTime
    case surplusConnection

    var status: HTTPResponse.Status {
        switch self {
        case .targetTooLong: .uriTooLong
        case .headTooLarge, .tooManyFields: .requestHeaderFieldsTooLarge
        case .unsupportedVersion: HTTPResponse.Status(code: 505, reasonPhrase: "HTTP Version Not Supported")
        case .unsupportedMethod: .methodNotAllowed
        case .headTime, .bodyTime: .requestTimeout
        case .expectation: .expectationFailed
        case .surplusConnection: .tooManyRequests
        default: .badRequest
        }
    }

    var code: GatewayError.Code {
        switch self {
        case .targetTooLong: .uriTooLong
        case .headTooLarge, .tooManyFields: .headTooLarge
        case .unsupportedVersion: .unsupportedVersion
        case .unsupportedMethod: .methodNotAllowed
        case .headTime, .bodyTime: .requestTooSlow
        case .expectation: .unknownExpectation
        case .surplusConnection: .tooManyConnections
        default: .malformedRequest
        }
    }

    var message: String {
        switch self {
        case .bareLineFeed: "A line of the request ends with a line feed alone."
        case .bareCarriageReturn: "A carriage return stands alone in the request."
        case .controlCharacter: "The request's head has a control character."
        case .emptyLines: "Empty lines stand before the request."
        case .requestLine: "The first line is not a method, an address and a version with one space between them."
        case .method: "The method is no word."
        case .target: "The address has a character that must be percent-encoded, or is none of a request."
        case .version: "The version is none of HTTP."
        case .foldedField: "A header field goes on in a second line."
        case .spaceBeforeColon: "A space stands before the colon of a header field."
        case .fieldName: "The name of a header field is no word."
        case .missingHost: "The request names no Host."
        case .severalHosts: "The request names more than one Host."
        case .invalidHost: "Host is no name or address with perhaps a port."
        case .foreignAuthority: "The address names another host than Host does."
        case .lengthAndEncoding: "The request has both Content-Length and Transfer-Encoding."
        case .severalLengths: "The request has more than one Content-Length."
        case .invalidLength: "Content-Length is no number of bytes."
        case .transferEncoding: "Transfer-Encoding is something else than `chunked`, or stands where it may not."
        case .chunkSize: "The size of a chunk is no hexadecimal number."
        case .chunkEnd: "A chunk does not end where its size says."
        case .chunkExtension: "The extension of a chunk is broken or too long."
        case .trailer: "The fields behind the last chunk are broken or too long."
        case .expectation: "Expect is something else than `100-continue`."
        case .targetTooLong: "The address is too long."
        case .headTooLarge: "The header fields together are longer than \(Limits.headerBytes) bytes."
        case .tooManyFields: "The request has more than \(Limits.headerFields) header fields."
        case .unsupportedVersion: "This server speaks HTTP/1.1."
        case .unsupportedMethod: "This address does not take that method."
        case .headTime: "The head of the request did not come in time."
        case .bodyTime: "The body of the request did not come in time."
        case .surplusConnection: "This address has as many connections as one may have."
        }
    }
}

/// A fault, with what was understood of the request before it.
struct WireRefusal: Error, Sendable, Hashable {
    let fault: WireFault
    var method: String?
    /// Without the query.
    var path: String?

    init(_ fault: WireFault, method: String? = nil, path: String? = nil) {
        self.fault = fault
        self.method = method
        self.path = path
    }
}
