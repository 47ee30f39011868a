import Access
import Domain

/// One question of a check.
struct PermissionQuestionWire: WireType, Hashable {
    /// Nil for whoever asks.
    let subject: GrantSubjectWire?
    let permission: Permission
    let resource: ResourceWire

    static let schema = JSONSchema.object(
        properties: [
            "subject": GrantSubjectWire.schema.described("Whom it is about; you, when left out."),
            "permission": permissionSchema,
            "resource": ResourceWire.schema,
        ],
        required: ["permission", "resource"]
    )
    static let permissionSchema = JSONSchema.string(enum: Permission.allCases.map(\.rawValue))
}

struct PermissionCheckWire: DocumentedWireType, Hashable {
    let questions: [PermissionQuestionWire]

    static let schemaName = "PermissionCheck"
    static let schema = JSONSchema.object(
        properties: [
            "questions": .array(
                of: PermissionQuestionWire.schema,
                minItems: 1,
                maxItems: Limits.permissionQuestions
            )
        ],
        required: ["questions"]
    )
    static let sample = PermissionCheckWire(questions: [
        PermissionQuestionWire(
            subject: nil,
            permission: .recordsWrite,
            resource: ResourceWire(.table(Sample.table, Sample.base))
        )
    ])
}

/// An answer.
struct PermissionAnswerWire: WireType, Hashable {
    let decision: String
    let reason: String
    let role: String?
    let grant: GrantID?
    let permission: Permission

    init(_ explanation: Explanation) {
        decision = explanation.verdict
        (reason, role, grant) = (explanation.reason, explanation.decidingRole, explanation.decidingGrant)
        permission = explanation.decidingPermission
    }

    /// Of a place that is not there, or is not to be seen.
    init(unseen permission: Permission) {
        (decision, reason, role, grant) = ("denied", "nothing", nil, nil)
        self.permission = permission
    }

    static let members: KeyValuePairs<String, JSONSchema> = [
        "decision": .string(
            description: "`conditional` when it depends on what stands in the record.",
            enum: ["allowed", "denied", "conditional"]
        ),
        "reason": .string(
            description:
                "What decided: a role in the whole tenant, a grant, a grant of a part of the place, nothing that "
                + "allows it; or a key's scopes, the places it is limited to, or its own grants.",
            enum: ["role", "grant", "part", "nothing", "keyScopes", "keyPlaces", "keyGrants"]
        ),
        "role": .string(description: "The role that decided."),
        "grant": PathParameter.grantId.schema.described("The grant that decided, or made it conditional."),
        "permission": PermissionQuestionWire.permissionSchema.described(
            "The permission that decided: what cannot be seen cannot be changed or searched."
        ),
    ]
    static let schema = JSONSchema.object(properties: members, required: ["decision", "reason", "permission"])
}

struct PermissionAnswersWire: DocumentedWireType, Hashable {
    let answers: [PermissionAnswerWire]

    static let schemaName = "PermissionAnswers"
    static let schema = JSONSchema.object(
        properties: ["answers": .array(of: PermissionAnswerWire.schema)],
        required: ["answers"]
    )
    static let sample = PermissionAnswersWire(answers: [PermissionAnswerWire(.sample)])
}

/// A decision with everything that was looked at.
struct ExplanationWire: DocumentedWireType, Hashable {
    struct Step: WireType, Hashable {
        let resource: ResourceWire
        let grants: [GrantWire]

        static let schema = JSONSchema.object(
            properties: ["resource": ResourceWire.schema, "grants": .array(of: GrantWire.schema)],
            required: ["resource", "grants"]
        )
    }

    let answer: PermissionAnswerWire
    let tenantRole: String?
    let chain: [Step]
    let policyVersion: Int64

    init(_ explanation: Explanation) {
        answer = PermissionAnswerWire(explanation)
        tenantRole = explanation.role?.rawValue
        chain = explanation.steps.map { step in
            Step(resource: ResourceWire(step.resource), grants: step.grants.map(GrantWire.init))
        }
        policyVersion = explanation.version
    }

    static let schemaName = "Explanation"
    static let schema = JSONSchema.object(
        properties: [
            "answer": PermissionAnswerWire.schema,
            "tenantRole": .string(description: "Their role in the whole tenant; absent for a group and for everybody."),
            "chain": .array(
                of: Step.schema,
                description: "From the tenant down to the place: the grants there that speak of it."
            ),
            "policyVersion": .integer(description: "Of the policy that decided.", minimum: 0),
        ],
        required: ["answer", "chain", "policyVersion"]
    )
    static let sample = ExplanationWire(.sample)
}

/// What exists for somebody, and where they may do something.
struct PermittedObjectsWire: DocumentedWireType, Hashable {
    let sight: ReachWire
    let action: ReachWire?

    /// - Parameter naming: whether what does not exist for them is named all the same.
    init(_ scope: VisibleScope, naming all: Bool) {
        sight = ReachWire(scope.sightShown(naming: all))
        action = scope.actionShown(naming: all).map(ReachWire.init)
    }

    static let schemaName = "PermittedObjects"
    static let schema = JSONSchema.object(
        properties: [
            "sight": ReachWire.schema.described(
                "What exists for them; all else is not found. What does not is named, and rules are told, to who manages "
                    + "members alone."
            ),
            "action": ReachWire.schema.described("Where of that they may do it; absent when wherever they see."),
        ],
        required: ["sight"]
    )
    static let sample = PermittedObjectsWire(VisibleScope.sample, naming: true)
}
