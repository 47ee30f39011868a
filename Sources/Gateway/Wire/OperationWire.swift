import Domain

/// The answer of `/health`: the process answers, and that is all it says.
struct HealthWire: DocumentedWireType, Hashable {
    let status: String

    static let schemaName = "Health"
    static let schema = JSONSchema.object(properties: ["status": .constant("ok")], required: ["status"])
    static let sample = HealthWire(status: "ok")
}

/// The answer of `/ready`.
struct ReadinessWire: DocumentedWireType, Hashable {
    let status: String
    let checks: [String: Bool]

    init(checks: [String: Bool], isDraining: Bool) {
        status = isDraining ? "draining" : checks.values.allSatisfy(\.self) ? "ready" : "notReady"
        self.checks = checks
    }

    static let schemaName = "Readiness"
    static let schema = JSONSchema.object(
        properties: [
            "status": .string(enum: ["ready", "notReady", "draining"]),
            "checks": .dictionary(of: .boolean(), description: "What must work, and whether it does."),
        ],
        required: ["status", "checks"]
    )
    static let sample = ReadinessWire(checks: ["database": true, "index": true], isDraining: false)
}
