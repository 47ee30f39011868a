import Access
import Domain
import HTTPTypes

/// What the edge tells the audit log: whose key was used, and who was refused.
extension GatewayResponder {
    /// `context` with where its request came from.
    func entered(_ context: Domain.RequestContext, _ exchange: inout Exchange) -> Domain.RequestContext {
        var context = context
        context.clientAddress = exchange.address
        exchange.context = context
        services.access.audit.noteUse(by: context)
        return context
    }

    /// A known caller who may not is in their tenant's log; a bearer that opens nothing in the server's. What does not
    /// exist for somebody is neither: it must look as if it were not there.
    func noteRefusal(_ failure: any Failure, _ exchange: Exchange) {
        let route = exchange.route.map { table.routes[$0] }
        let object = route.map { AuditObject(.route, "\($0.method.rawValue) \($0.pattern)") }
        if failure.kind == .forbidden, let context = exchange.context {
            services.access.audit.note(
                .denied,
                result: .refused,
                by: context,
                object: object,
                details: [.permission: route?.permission?.rawValue ?? "", .reason: failure.codeText]
            )
        } else if failure.kind == .unauthenticated {
            services.access.audit.noteStranger(
                requestID: exchange.requestID,
                address: exchange.address,
                object: object,
                reason: (failure as? AccessError)?.detail ?? failure.codeText,
                logger: log.logger
            )
        }
    }
}
