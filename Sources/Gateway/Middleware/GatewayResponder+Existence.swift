import Airtable
import Domain

/// What is wrong with a request is told to those only for whom there is what its path names.
extension GatewayResponder {
    /// Does the work of a route. A refusal of its input gives way to the answer of a missing base, table or record,
    /// which otherwise would be told apart from one that is hidden by which mistake is found first.
    func naming<T: Sendable>(
        _ match: RouteTable.Match,
        _ route: Route,
        _ context: Domain.RequestContext,
        _ work: () async throws -> T
    ) async throws -> T {
        do {
            return try await work()
        } catch let failure as any Failure where failure.kind == .invalid {
            if let permission = route.permission {
                try await requireNamed(match.parameters, services.airtable.reads(by: permission), context)
            }
            throw failure
        }
    }

    private func requireNamed(
        _ parameters: [PathParameter: Substring],
        _ reads: GatedReads,
        _ context: Domain.RequestContext
    ) async throws {
        guard let base = parameters[.baseId].flatMap({ BaseID(String($0)) }) else { return }
        guard let name = parameters[.tableId] ?? parameters[.tableIdOrName] else {
            _ = try await reads.tables(in: base, context: context)
            return
        }
        guard let decoded = PercentEncoding.decoded(name, plusIsSpace: false) else { return }
        let table = try await reads.table(decoded, in: base, context: context)
        guard let record = parameters[.recordId].flatMap({ RecordID(String($0)) }) else { return }
        _ = try await reads.record(record, in: table.id, context: context)
    }
}
