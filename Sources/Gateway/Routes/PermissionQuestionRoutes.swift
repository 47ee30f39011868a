import Access
import Airtable
import Domain
import HTTPTypes

/// Questions about permission. Of oneself whoever is known may ask; of others it needs `members:manage`.
enum PermissionQuestionRoutes {
    static let all = [check, explain, objects]

    private static let permissionQuery = QueryParameter(
        "permission",
        "What is to be done.",
        .string(enum: Permission.allCases.map(\.rawValue))
    )

    private static let check = Route(
        .post,
        "/api/v1/permissions/check",
        name: "checkPermissions",
        summary: "Whether somebody may do something somewhere: many questions at once.",
        body: RouteBody(PermissionCheckWire.self),
        reply: .json(PermissionAnswersWire.self, "The answers, in the order of the questions."),
        problems: [.notFound],
        handler: .authenticated { call, context in
            let body: PermissionCheckWire = try call.decodedBody()
            var answers: [PermissionAnswerWire] = []
            var version: Int64 = 0
            for question in body.questions {
                let (resource, subject) = (try question.resource.resource(), try question.subject?.subject())
                guard try await call.sees(resource, context) else {
                    answers.append(PermissionAnswerWire(unseen: question.permission))
                    continue
                }
                let answer = try await call.services.access.explain(
                    question.permission,
                    on: resource,
                    for: subject,
                    context: context
                )
                answers.append(PermissionAnswerWire(answer))
                version = max(version, answer.version)
            }
            return try .json(PermissionAnswersWire(answers: answers)).since(version)
        }
    )

    private static let explain = Route(
        .get,
        "/api/v1/permissions/explain",
        name: "explainPermission",
        summary: "Why somebody may do something somewhere or not: which role, grant or refusal decided.",
        query: [permissionQuery] + PermissionRoutes.subjectQuery + ResourceWire.query,
        reply: .json(ExplanationWire.self, "The decision, and all that was looked at."),
        problems: [.notFound],
        handler: .authenticated { call, context in
            let (permission, subject) = (try call.permissionAsked(), try call.subject())
            let resource = try ResourceWire(call.query).resource(orThrow: .invalidParameter)
            guard try await call.sees(resource, context) else { throw GatewayError.notFound }
            let explanation = try await call.services.access.explain(
                permission,
                on: resource,
                for: subject,
                context: context
            )
            return try .json(ExplanationWire(explanation)).since(explanation.version)
        }
    )

    private static let objects = Route(
        .get,
        "/api/v1/permissions/objects",
        name: "listPermittedObjects",
        summary: "Everything that somebody may do something with, as one description.",
        query: [permissionQuery] + PermissionRoutes.subjectQuery,
        reply: .json(PermittedObjectsWire.self, "What exists for them, and where they may do it."),
        problems: [.notFound],
        handler: .authenticated { call, context in
            let found = try await call.services.access.objects(
                try call.permissionAsked(),
                for: try call.subject(),
                context: context
            )
            let all = call.services.access.isToldAll(context)
            return try .json(PermittedObjectsWire(found.value, naming: all)).since(found.version)
        }
    )
}

extension RouteCall {
    /// Whether a place may be spoken of: who does not manage members hears nothing of what does not exist for them.
    fileprivate func sees(_ resource: Resource, _ context: Domain.RequestContext) async throws -> Bool {
        if services.access.isToldAll(context) { return true }
        do {
            if case .workspace(let id) = resource {
                guard Policy.allows(.basesRead, to: context.principal) else { return false }
                return try await workspaces(context).contains { $0.id == id }
            }
            try await services.airtable.checkSeen(resource, context: context)
            return true
        } catch let error as any Failure where error.kind == .notFound { return false }
    }

    fileprivate func permissionAsked() throws(GatewayError) -> Permission {
        guard let permission = query.text("permission").flatMap(Permission.init) else {
            throw GatewayError(
                .invalidParameter,
                "The query parameter permission is missing, or names none.",
                hint: "permissions are \(Permission.allCases.map(\.rawValue).joined(separator: ", "))"
            )
        }
        return permission
    }
}
