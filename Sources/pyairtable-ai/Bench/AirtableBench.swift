import Access
import Airtable
import App
import ArgumentParser
import Domain
import Embeddings
import Formula
import Foundation
import Gateway
import Logging
import MCP
import ServiceLifecycle

/// How fast records are read, listed, filtered, written and imported, by HTTP where people do it by HTTP.
///
/// A whole server in this process, on a port of this machine, and its clients in one thread beside it. Each figure is
/// the median of `--rounds`; `--data` should be fresh. What needs no server, formulas and the import, is measured
/// without.
struct AirtableBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "airtable",
        abstract: "Measure records and formulas, by HTTP and by themselves."
    )

    @OptionGroup var shared: SharedOptions

    @Option(help: "Records of the table that is read.")
    var records = 100_000

    @Option(help: "Connections at once.")
    var connections = 16

    @Option(help: "Times each figure is measured.")
    var rounds = 5

    @Option(help: "Requests of each round of single records; pages are a tenth of it, batches a fifth.")
    var requests = 20_000

    struct Report: Encodable {
        var records = 0
        var fields = AirtableBenchData.fieldCount
        var connections = 0
        var rounds = 0
        var importRowsPerSecond = 0.0
        var getRecordPerSecond = 0.0
        var getRecordP99Ms = 0.0
        var listPagesPerSecond = 0.0
        var createdRecordsPerSecond = 0.0
        var createdRecordsPerSecondWithTwoIndexes = 0.0
        var filterThreeTermsMs = 0.0
        var filterThreeTermsUnpushedMs = 0.0
        var filterEqualityWithoutIndexMs = 0.0
        var indexBuildMs = 0.0
        var filterEqualityMs = 0.0
        var filterEqualityP99Ms = 0.0
        var formulasPerSecond = 0.0
        var fanOutOf1000Ms = 0.0
        var residentMBBeforeList = 0.0
        var residentMBMostDuringList = 0.0
    }

    func validate() throws {
        guard records >= 1_000, connections > 0, rounds > 0, requests >= 100 else {
            throw ValidationError("--records from 1000, --requests from 100, --connections and --rounds above 0")
        }
    }

    func run() async throws {
        try await withServices(shared, isQuiet: true) { services, context in
            var report = Report()
            (report.records, report.connections, report.rounds) = (records, connections, rounds)
            report.formulasPerSecond = try formulasPerSecond()
            let table = try await importRecords(services, context, &report)
            let search = try await services.openSearch()
            defer { search.pool.close() }
            let draft = APIKeyDraft(name: "bench", scopes: Set(Permission.allCases))
            let key = try await services.access.createKey(draft, context: context).text
            let (ports, port) = AsyncStream.makeStream(of: Int.self)
            let server = GatewayServer.make(
                configuration: GatewayConfiguration(address: .init(host: "127.0.0.1", port: 0), adminAddress: nil),
                services: GatewayServices(
                    access: services.access,
                    airtable: services.airtable,
                    search: search.search,
                    mcp: MCPEndpoint(info: Product.mcpInfo, offer: search.mcpOffer(services), logger: services.logger),
                    readiness: []
                ),
                metrics: PrometheusRegistry(),
                logger: services.logger
            ) { port.yield($0 ?? 0) }
            let group = ServiceGroup(
                configuration: ServiceGroupConfiguration(
                    services: [.init(service: server.publicApplication)],
                    logger: services.logger
                )
            )
            let first = report
            try await withThrowingTaskGroup { tasks in
                tasks.addTask { try await group.run() }
                var iterator = ports.makeAsyncIterator()
                guard let port = await iterator.next() else { throw CancellationError() }
                let run = AirtableBenchRun(
                    bench: self,
                    services: services,
                    context: context,
                    table: table,
                    port: port,
                    key: key
                )
                try ANNBenchProcess.writeLine(try await run.measure(first))
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
        }
    }

    /// The formula over records of three cells, one thread.
    private func formulasPerSecond() throws -> Double {
        let schema = FormulaSchema([
            FormulaField(name: "n", type: .number), FormulaField(name: "a", type: .text),
            FormulaField(name: "b", type: .text),
        ])
        let formula = try Formula("IF({n}>10, {a}&\"-\"&{b}, \"\")", schema: schema)
        let rows = (0..<1_000).map { number in
            FormulaRecord([.number(Double(number % 21)), .text("part \(number)"), .text("place \(number % 7)")])
        }
        let environment = FormulaEnvironment(now: .now())
        return median(
            (0..<rounds).map { _ in
                let start = ContinuousClock.now
                var length = 0
                for _ in 0..<500 {
                    for row in rows {
                        if case .text(let text) = formula.evaluate(row, in: environment) { length &+= text.utf8.count }
                    }
                }
                precondition(length > 0, "the formula gives texts")
                return 500_000 / start.duration(to: .now).inSeconds
            }
        )
    }

    private func importRecords(
        _ services: Services,
        _ context: Domain.RequestContext,
        _ report: inout Report
    ) async throws -> Table {
        let path = services.configuration.dataDirectory + "/bench.csv"
        try AirtableBenchData.writeCSV(records, to: path)
        defer { try? FileManager.default.removeItem(atPath: path) }
        var rates: [Double] = []
        var table: Table?
        for round in 0..<min(rounds, 3) {
            let importer = Importer(service: services.airtable, context: context)
            let start = ContinuousClock.now
            let result = try await importer.run(path, options: ImportOptions(baseName: "Bench \(round)"))
            rates.append(Double(records) / start.duration(to: .now).inSeconds)
            if let base = result.base { table = try await services.airtable.tables(in: base, context: context).first }
        }
        report.importRowsPerSecond = median(rates)
        guard let table else { throw CancellationError() }
        return table
    }
}

func median(_ values: [Double]) -> Double { values.isEmpty ? 0 : values.sorted()[values.count / 2] }
