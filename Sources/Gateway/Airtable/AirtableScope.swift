import Domain

/// Our permissions in Airtable's words.
enum AirtableScope {
    private static let names: [(Permission, String)] = [
        (.recordsRead, "data.records:read"), (.recordsWrite, "data.records:write"),
        (.commentsRead, "data.recordComments:read"), (.commentsWrite, "data.recordComments:write"),
        (.schemaRead, "schema.bases:read"), (.schemaWrite, "schema.bases:write"),
        (.webhooksManage, "webhook:manage"),
    ]

    static func names(_ permissions: Set<Permission>) -> [String] {
        names.filter { permissions.contains($0.0) }.map(\.1)
    }

    /// What one may do in a base, the same in each.
    static func level(_ permissions: Set<Permission>) -> String {
        if permissions.contains(.schemaWrite) { return "create" }
        if permissions.contains(.recordsWrite) { return "edit" }
        if permissions.contains(.commentsWrite) { return "comment" }
        return permissions.contains(.recordsRead) ? "read" : "none"
    }
}
