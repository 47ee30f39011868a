/// What may be done: the one vocabulary of routes, keys, tools and OAuth scopes.
public enum Permission: String, Sendable, Hashable, CaseIterable, Codable {
    case basesRead = "bases:read"
    case schemaRead = "schema:read"
    case schemaWrite = "schema:write"
    case recordsRead = "records:read"
    case recordsWrite = "records:write"
    case recordsDelete = "records:delete"
    case commentsRead = "comments:read"
    case commentsWrite = "comments:write"
    case webhooksManage = "webhooks:manage"
    case search = "search"
    case embed = "embed"
    case chat = "chat"
    case keysManage = "keys:manage"
    case membersManage = "members:manage"
    case auditRead = "audit:read"
    case admin = "admin"
}
