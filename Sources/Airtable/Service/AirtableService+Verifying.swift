import Access
import Database
public import Domain

extension AirtableService {
    /// Checks the tenant's whole store against its own rules. Reads every row, in one snapshot.
    public func verify(context: RequestContext) async throws -> StoreReport {
        try context.require(.admin)
        return try await read(context) { transaction, schema in
            var verifier = StoreVerifier(schema: schema, transaction: transaction)
            try verifier.run()
            return verifier.report
        }
    }
}
