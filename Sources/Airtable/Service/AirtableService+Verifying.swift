import Access
import Database
public import Domain

extension AirtableService {
    /// Checks the tenant's whole store against its own rules. Reads every row, in one snapshot.
    ///
    /// A schema that cannot be read is the report's only problem then: nothing can be read by it.
    public func verify(context: RequestContext) async throws -> StoreReport {
        try context.require(.admin)
        return try await database.read(of: .tenant(context.tenant), deadline: context.deadline) {
            [schemas] transaction in
            let schema: TenantSchema
            do {
                // As it is stored, not as it is cached.
                let version = try schemas.version(tenant: context.tenant, in: transaction)
                schema = try schemas.load(tenant: context.tenant, version: version, in: transaction)
            } catch let error as AirtableError where error.code == .corrupt {
                var report = StoreReport()
                report.add(error.message)
                return report
            }
            var verifier = StoreVerifier(schema: schema, transaction: transaction)
            try verifier.run()
            return verifier.report
        }
    }
}
