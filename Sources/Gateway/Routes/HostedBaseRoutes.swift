import Airtable
import Domain
import HTTPTypes

/// Which bases live at the hosted service, and how old what is here of them is.
enum HostedBaseRoutes {
    static let all = [list]

    private static let list = Route(
        .get,
        "/api/v1/airtable/hosted-bases",
        name: "listHostedBases",
        summary: "The bases that live at the hosted Airtable, and how old what is here of them is.",
        reply: .json(HostedBaseListWire.self, "The bases, by identifier."),
        handler: .requires(.basesRead) { call, context in
            let bases = try await call.services.airtable.hostedBases(context: context)
            return try .json(HostedBaseListWire(bases: bases.map { HostedBaseWire($0, at: .now()) }))
        }
    )
}
