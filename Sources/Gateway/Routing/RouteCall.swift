import Airtable
import Domain
import HTTPTypes
import Logging

/// One request as a handler sees it: matched and, where the route asks for a body, read and checked.
struct RouteCall: Sendable {
    let services: GatewayServices
    /// What the caller was asked for; nil on a route open to everybody.
    var permission: Permission?
    /// Without the query.
    let path: String
    let query: QueryParameters
    /// What stands after the `?`, for a route that reads it itself.
    let rawQuery: String
    let headers: HTTPFields
    /// When the request must be answered.
    let deadline: ContinuousClock.Instant
    /// Also in the header `X-Request-Id`.
    let requestID: String
    /// Carries the request's name.
    let logger: Logger
    let client: EdgeClient
    /// Whether the server is about to stop.
    let isDraining: Bool
    /// Host and perhaps port that the request was sent to; nil when it said none that can stand in an address.
    let authority: String?
    /// Null unless the route declares a body that is checked.
    let body: JSONValue
    /// Empty unless the route declares a body.
    let bytes: [UInt8]
    /// What was uploaded; nil unless the route declares an upload.
    let file: SpooledFile?
    let parameters: [PathParameter: Substring]
    /// The routes that this one is of.
    let table: RouteTable

    /// Reads by the route's own permission, so that a route works for whoever has it.
    var reads: GatedReads {
        guard let permission else { preconditionFailure("an open route has no caller to read for") }
        return services.airtable.reads(by: permission)
    }

    /// The identifier in the path.
    ///
    /// - Throws: `notFound` when it has not the form of one, as for one that does not exist.
    func identifier<Kind>(_ parameter: PathParameter) throws(GatewayError) -> Identifier<Kind> {
        guard let text = parameters[parameter], let identifier = Identifier<Kind>(String(text)) else {
            throw GatewayError.notFound
        }
        return identifier
    }

    /// Whether the client asks for server-sent events: names them in `Accept` and does not give them weight 0.
    var wantsEvents: Bool {
        headers[values: .accept].flatMap { $0.split(separator: ",") }.contains { range in
            let parts = range.lowercased().split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
            return parts.first == ServerSentEvent.contentType && weight > 0
        }
    }

    /// The body as the type the route declares. Its schema has been checked already.
    func decodedBody<T: WireType>(as type: T.Type = T.self) throws -> T { try JSONCoder.decode(type, from: body) }
}
