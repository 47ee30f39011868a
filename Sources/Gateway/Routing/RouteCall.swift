import Airtable
import Domain
import HTTPTypes

/// One request as a handler sees it: matched and, where the route asks for a body, read and checked.
struct RouteCall: Sendable {
    let services: GatewayServices
    /// What the caller was asked for; nil on a route open to everybody.
    let permission: Permission?
    let query: QueryParameters
    /// Empty unless the route declares a body.
    let body: JSONValue
    let parameters: [PathParameter: Substring]
    /// The API document's bytes.
    let document: [UInt8]

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

    /// The body as the type the route declares. Its schema has been checked already.
    func decodedBody<T: WireType>(as type: T.Type = T.self) throws -> T { try JSONCoder.decode(type, from: body) }
}
