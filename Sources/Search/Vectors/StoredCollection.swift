package import Domain
import Foundation

/// The files of one vector index, found by looking into an index directory: also of bases that are no
/// more, and of other models.
package struct StoredCollection: Sendable, Hashable {
    package let tenant: TenantID
    package let base: BaseID
    package let path: String
    /// Of all its files together.
    package let byteCount: Int64

    /// Every index below the `index` directory, in the order of their paths. What is named otherwise is
    /// none; a directory that is not there has none.
    package static func all(in directory: String) -> [StoredCollection] {
        var found: [StoredCollection] = []
        for tenantName in names(in: directory) {
            guard let tenant = TenantID(tenantName) else { continue }
            for baseName in names(in: "\(directory)/\(tenantName)") {
                guard let base = BaseID(baseName) else { continue }
                for model in names(in: "\(directory)/\(tenantName)/\(baseName)") {
                    let path = "\(directory)/\(tenantName)/\(baseName)/\(model)"
                    found.append(
                        StoredCollection(tenant: tenant, base: base, path: path, byteCount: byteCount(of: path))
                    )
                }
            }
        }
        return found
    }

    private static func names(in directory: String) -> [String] {
        // What cannot be listed is not there for whoever would open it either.
        ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted()
    }

    private static func byteCount(of directory: String) -> Int64 {
        names(in: directory).reduce(0) { sum, name in
            // A file that goes away meanwhile counts nothing.
            let attributes = try? FileManager.default.attributesOfItem(atPath: "\(directory)/\(name)")
            return sum + ((attributes?[.size] as? NSNumber)?.int64Value ?? 0)
        }
    }
}
