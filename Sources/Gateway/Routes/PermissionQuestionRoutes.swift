import Access
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
                let answer = try await call.services.access.explain(
                    question.permission,
                    on: question.resource.resource(),
                    for: try question.subject?.subject(),
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
            let explanation = try await call.services.access.explain(
                try call.permissionAsked(),
                on: try ResourceWire(call.query).resource(orThrow: .invalidParameter),
                for: try call.subject(),
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
            return try .json(PermittedObjectsWire(found.value)).since(found.version)
        }
    )
}

extension RouteCall {
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
