import Airtable
import App
import ArgumentParser
import Domain

/// `sync`: bases of the hosted Airtable, brought here and kept in step.
struct Sync: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring a base of the hosted Airtable here, and keep it in step.",
        discussion: """
            The token is AIRTABLE_API_KEY (personal or OAuth). The first run brings every record, and goes on where it was
            when it is ended in between; each further run brings what has changed. A running server keeps every such base
            in step by itself. Reads, search and chat are answered here; writes go to the hosted base first, which is the
            truth. Without --base every base that is known here gets one round.
            """
    )

    @OptionGroup var shared: SharedOptions

    @Option(help: "The base's identifier, app…")
    var base: String?

    @Flag(help: "One round, then end. This is what happens anyway.")
    var once = false

    @Flag(help: "Go on with rounds until it is ended.")
    var watch = false

    @Flag(help: "Compare every record now, also for deletions.")
    var sweep = false

    @Flag(help: "Bring the schema only: every record is asked for at the hosted base.")
    var schemaOnly = false

    @Flag(help: "Forget the base: what is here of it goes, at the hosted service nothing changes.")
    var forget = false

    @Flag(help: "Keep the token, encrypted, for the workspace: servers need none in their environment then.")
    var keepToken = false

    @Flag(help: "Print one JSON object a base and round.")
    var json = false

    func validate() throws {
        if once && watch { throw ValidationError("--once and --watch exclude each other") }
        if forget && (watch || sweep || schemaOnly) { throw ValidationError("--forget stands alone") }
        if base == nil && (forget || schemaOnly) { throw ValidationError("--base says which one") }
        if let base, BaseID(base) == nil {
            throw ValidationError("\"\(base)\" is no identifier of a base: app and 14 letters or digits")
        }
    }

    func run() async throws {
        let bar = ProgressBar()
        try await withServices(shared) { services, context in
            defer { bar.finish() }
            if keepToken { try await services.keepHostedToken(context: context) }
            if forget, let id = base.flatMap({ BaseID($0) }) {
                try await services.airtable.detach(id, context: context)
                if !json { Console.write("base \(id) is forgotten here\n") }
                return
            }
            let owner = MirrorKeeper.randomOwner
            var ids: [BaseID] = []
            if let id = base.flatMap({ BaseID($0) }) {
                let home: BaseHome = schemaOnly ? .hosted : .mirrored
                ids = [try await services.airtable.attach(id, home: home, context: context).id]
            } else {
                ids = try await services.airtable.hostedBases(context: context).map(\.base)
            }
            var isFirst = true
            repeat {
                if !isFirst { try await Task.sleep(for: services.configuration.hosted.rules.pollInterval) }
                for id in ids {
                    let state = try await services.airtable.synchronise(
                        id,
                        owner: owner,
                        rules: services.configuration.hosted.rules,
                        sweeps: sweep && isFirst,
                        report: { progress in
                            let verb = progress.phase == .pulling ? "pulling" : "comparing"
                            let count = Int64(progress.records)
                            bar.show("\(verb) \(progress.table)", done: count, total: max(count, 1), unit: " records")
                        },
                        context: context
                    )
                    bar.finish()
                    try await show(id, state, services, context)
                }
                isFirst = false
            } while watch
        }
    }

    private func show(
        _ id: BaseID,
        _ state: MirrorState,
        _ services: Services,
        _ context: RequestContext
    ) async throws {
        let base = try await services.airtable.base(id.description, context: context)
        var counts: [(table: Table, records: Int)] = []
        if !schemaOnly {
            for table in try await services.airtable.tables(in: id, context: context) {
                counts.append((table, try await services.airtable.recordCount(in: table.id, context: context)))
            }
        }
        if json {
            let tables = counts.map { count -> JSONValue in
                [
                    "id": .string(count.table.id.description), "name": .string(count.table.name),
                    "records": .number(JSONNumber(count.records)),
                ]
            }
            Console.writeLine([
                "baseId": .string(id.description), "base": .string(base.name), "tables": .array(tables),
                "changesTime": state.changesTime.map { .string($0.iso8601) } ?? .null,
                "sweepTime": state.sweepTime.map { .string($0.iso8601) } ?? .null,
                "webhook": .bool(state.webhook != nil),
            ])
            return
        }
        if watch { return }
        Console.write("base \"\(base.name)\" is in step\n")
        for count in counts { Console.write("  \(count.table.name): \(count.records) records\n") }
    }
}
