public import Domain

/// What a new grant should be.
public struct GrantDraft: Sendable, Hashable {
    public var subject: Grant.Subject
    public var effect: Grant.Effect
    public var bundle: Grant.Bundle
    public var resource: Resource
    /// Holds for the records it speaks of; only on a table.
    public var condition: String?

    public init(
        subject: Grant.Subject,
        effect: Grant.Effect = .allow,
        bundle: Grant.Bundle,
        resource: Resource,
        condition: String? = nil
    ) {
        self.subject = subject
        self.effect = effect
        self.bundle = bundle
        self.resource = resource
        self.condition = condition
    }
}

/// Something done to a tenant's policy, with the policy's version since: who sends it along is answered by nothing older.
public struct PolicyChanged<Value: Sendable>: Sendable {
    public let value: Value
    public let version: Int64
}

extension PolicyChanged: Equatable where Value: Equatable {}

/// Whoever keeps bases and tables: knows whether what a grant is about is there, and whether its condition is a formula.
public protocol GrantPlaces: Sendable {
    /// Passes when `resource` is in the caller's tenant, as the parts of it say, and `condition` compiles for its table.
    ///
    /// - Throws: a failure of kind `notFound`, or `invalid` for the condition.
    func check(_ resource: Resource, condition: String?, context: RequestContext) async throws
}

extension GrantDraft {
    /// What it can mean at all: what is said here a grant never says in vain.
    ///
    /// - Throws: `invalid`.
    func check(_ rights: Rights) throws(AccessError) {
        guard !rights.isEmpty else {
            throw AccessError(.invalid, "A grant names a role or at least one permission that says something.")
        }
        switch resource.level {
        case .tenant: break
        case .workspace, .base, .table:
            guard effect == .deny || !rights.isSubset(of: .ofTenants) else {
                throw AccessError(.invalid, "These permissions are given in the whole tenant or not at all.")
            }
        case .view, .field:
            guard effect == .deny else {
                throw AccessError(
                    .invalid,
                    "Fields and views are given with their table.",
                    hint: "allow the table, and deny the fields and views that should be kept back"
                )
            }
        case .record:
            guard rights.isSubset(of: .ofRecords.union(effect == .allow ? .ofTheirTable : [])) else {
                throw AccessError(.invalid, "On a record only permissions about records say anything.")
            }
        }
        guard let condition else { return }
        guard resource.level == .table else {
            throw AccessError(.invalid, "Only a grant on a table has a condition.")
        }
        guard rights.isSubset(of: .ofRecords.union(effect == .allow ? .ofTheirTable : [])) else {
            throw AccessError(
                .invalid,
                "A condition speaks of records, and these permissions are about more.",
                hint: "name permissions about records, such as records:read; schema:read and bases:read come along"
            )
        }
        guard !condition.isEmpty, condition.utf8.count <= Limits.conditionBytes, !condition.contains("\0") else {
            throw AccessError(.invalid, "A condition is a formula of 1 to \(Limits.conditionBytes) bytes.")
        }
    }
}
