import Airtable
import Crypto
import Domain

/// The place where a list goes on, as only the caller it was given to may use it, for that list.
///
/// The seal is no secret: a forged one leads to a place in a table that its forger may read anyway. It keeps cursors from
/// being passed on, between tenants and users, so that nobody comes to depend on it.
enum CallerCursor {
    static func sealed(_ offset: String, in table: TableID, for context: RequestContext) -> String {
        offset + "." + seal(offset, table, context.tenant, context.principal.user)
    }

    /// - Throws: `invalidOffset`.
    static func opened(_ text: String, in table: TableID, for context: RequestContext) throws(AirtableError) -> String {
        guard let dot = text.lastIndex(of: ".") else { throw AirtableError.offsetNotOfThisList }
        let offset = String(text[..<dot])
        guard text[text.index(after: dot)...] == seal(offset, table, context.tenant, context.principal.user) else {
            throw AirtableError.offsetNotOfThisList
        }
        return offset
    }

    static func seal(_ offset: String, _ table: TableID, _ tenant: TenantID, _ user: UserID) -> String {
        let text = "\(tenant) \(user) \(table) \(offset)"
        return SHA256.hash(data: Array(text.utf8)).prefix(6).map { byte in
            let digits = String(byte, radix: 16)
            return byte < 16 ? "0" + digits : digits
        }.joined()
    }
}
