extension Limits {
    /// Bases and tables that one API key names: a limit that long is no limit that anybody can read.
    public static let keyPlaces = 200
    /// Networks that one API key names: an office, a few servers, a provider's ranges.
    public static let keyAddresses = 64
    /// Users of one page of a list.
    public static let userPageUsers = 100
    /// Workspaces of a tenant: few enough to list whole.
    public static let workspacesPerTenant = 200
    /// Invites of a tenant that wait to be accepted.
    public static let invitesPerTenant = 500
    /// How long one may be accepted: a week, holidays not counted.
    public static let inviteSeconds: Int64 = 7 * 86_400
    /// Workspaces and bases that one invite gives a role in.
    public static let invitePlaces = 50
    /// Tenants of one server.
    public static let tenants = 10_000
    /// Rows of a tenant that one transaction erases: some milliseconds of the only writer.
    public static let eraseRows = 1_000
    /// How long the row of a tenant that is being erased is kept: longer than any request that was under way.
    public static let eraseGraceSeconds: Int64 = 900
}
