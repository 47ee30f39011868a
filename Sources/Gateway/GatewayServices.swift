public import Access
public import Airtable

/// What the routes call.
public struct GatewayServices: Sendable {
    let access: AccessService
    let airtable: AirtableService
    let search: any SearchAnswering
    let readiness: [ReadinessCheck]

    public init(
        access: AccessService,
        airtable: AirtableService,
        search: any SearchAnswering,
        readiness: [ReadinessCheck]
    ) {
        self.access = access
        self.airtable = airtable
        self.search = search
        self.readiness = readiness
    }
}

/// One thing that must work before this server should be sent requests.
public struct ReadinessCheck: Sendable {
    /// A plain word, such as `database`; anybody may read it.
    public let name: String
    let isReady: @Sendable () async -> Bool

    /// - Parameter isReady: answers soon; it is asked at every call of `/ready`.
    public init(_ name: String, isReady: @escaping @Sendable () async -> Bool) {
        self.name = name
        self.isReady = isReady
    }
}
