import Access
public import Domain

extension Services {
    /// Wraps every tenant's data keys with another master key: the one in `file`, or a new random one in place of the data
    /// directory's.
    ///
    /// - Returns: how many data keys were wrapped anew.
    /// - Throws: `AccessError` for a file that holds no key, and when the present key comes from elsewhere and no file is
    ///   named.
    public func rotateMasterKey(to file: String?, context: RequestContext) async throws -> Int {
        try context.require(.admin)
        let isOwnFile = configuration.masterKey == nil && configuration.sources[.masterKeyFile] == .default
        guard file != nil || isOwnFile else {
            throw AccessError(
                .invalid,
                "The master key is given by a setting, so this program cannot put a new one in its place.",
                hint: "name the new key's file with --new-key-file, then give that key to the servers"
            )
        }
        let audit = (event: AuditEvent(.masterKeyRotated, at: .now(), by: context), tenant: context.tenant)
        let vault = try vault()
        guard let file else {
            return try await vault.rotate(directory: configuration.dataDirectory, audit: audit).dataKeys
        }
        let next = try MasterKey.load(directory: configuration.dataDirectory, environmentFile: file)
        return try await vault.rotate(to: next, audit: audit).dataKeys
    }
}
