import Database
import Domain

extension AccessStore {
    static func tenant(_ id: TenantID, _ transaction: any Transaction) throws -> Tenant? {
        try transaction.firstRow("SELECT name, owner, created_time FROM access_tenants WHERE id = $1", [.id(id)])
            .map { row in
                Tenant(
                    id: id,
                    name: try row.text(0),
                    owner: try row.identifier(1, of: "access_tenants"),
                    createdTime: Instant(microseconds: try row.integer(2))
                )
            }
    }
}
