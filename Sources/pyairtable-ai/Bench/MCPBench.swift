import ArgumentParser
import Domain
import Embeddings
import Foundation

/// What the Model Context Protocol costs: how soon a server answers, how long a call takes, how many it does,
/// how much memory it holds; of this program and of servers beside it.
///
/// Each server is a process of its own; one thread of this one asks them all in the same way, at revision
/// 2025-11-25. Rounds go from one to the next, and each figure is the median of its rounds.
/// `Benchmarks/mcp_peers.py` calls it.
struct MCPBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mcp",
        abstract: "Measure the Model Context Protocol server, beside others."
    )

    @Option(help: "A data directory with the demo base, indexed.")
    var demo: String

    @Option(help: "A data directory with many records, indexed; searches are measured there.")
    var records: String?

    @Option(
        parsing: .singleValue,
        help: "Another server, as NAME=COMMAND; the command is given `stdio` or `http` as its last argument."
    )
    var peer: [String] = []

    @Option(help: "Times each figure is measured.")
    var rounds = 7

    @Option(help: "Calls of each round, one after the other.")
    var calls = 2_000

    @Option(help: "Calls of each round over several connections at once.")
    var load = 10_000

    @Option(help: "Connections at once.")
    var connections = 8

    @OptionGroup var model: EmbedModelOptions

    struct Figures: Encodable {
        var startMs = 0.0
        var stdioP50Ms = 0.0
        var stdioP99Ms = 0.0
        var httpP50Ms = 0.0
        var httpP99Ms = 0.0
        var callsPerSecond = 0.0
        var stdioResidentMB = 0.0
        var httpResidentMB = 0.0
        /// Of these, what is not pages of the index's or the model's files.
        var stdioBeyondDataMB = 0.0
        var httpBeyondDataMB = 0.0
        /// Of these, what is no file's pages at all.
        var stdioOwnMB = 0.0
        var httpOwnMB = 0.0
    }

    private struct Report: Encodable {
        var rounds: Int
        var calls: Int
        var load: Int
        var connections: Int
        var servers: [String: Figures] = [:]
        var searchP50Ms: Double?
        var searchP99Ms: Double?
        var queryEmbeddingP50Ms: Double?
    }

    func validate() throws {
        guard rounds > 0, calls >= 100, load >= 100, connections > 0 else {
            throw ValidationError("--calls and --load from 100, --rounds and --connections above 0")
        }
        guard peer.allSatisfy({ $0.split(separator: "=", maxSplits: 1).count == 2 }) else {
            throw ValidationError("--peer is NAME=COMMAND")
        }
    }

    func run() async throws {
        var report = Report(rounds: rounds, calls: calls, load: load, connections: connections)
        let bare = FileManager.default.temporaryDirectory.appending(path: "bench-mcp-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: bare) }
        let contenders = try [ours(demo), ours(bare, name: "bare", ["--embedder", "hash"])] + peer.map(Self.contender)
        var measured = [String: [Figures]]()
        for _ in 0..<rounds {
            for contender in contenders { measured[contender.name, default: []].append(try measure(contender)) }
        }
        report.servers = measured.mapValues(Self.medians)
        if let records {
            let queries = Self.queries(calls / 4)
            let times = try searches(ours(records), queries)
            (report.searchP50Ms, report.searchP99Ms) = (times.quantile(0.5), times.quantile(0.99))
            report.queryEmbeddingP50Ms = try await embeddings(queries).quantile(0.5)
        }
        try ANNBenchProcess.writeLine(report)
    }

    // MARK: Servers

    /// - Parameter name: `bare` is this program with neither an index nor a model, for the memory that is beyond them: what they
    ///   hold in memory of their own cannot be told from the rest by looking.
    private func ours(_ data: String, name: String = "ours", _ options: [String] = []) throws -> MCPContender {
        let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
        let maker = try LinePeer([program, "key", "create", "--json", "--name", "bench mcp", "--data", data])
        let made = try JSONValue(parsing: String(decoding: try maker.line(), as: UTF8.self))
        maker.end()
        // Nobody is to be refused for being fast.
        setenv("PYAIRTABLE_REQUEST_LIMITS", "off", 1)
        return MCPContender(
            name: name,
            stdio: [program, "mcp", "--data", data] + options,
            http: [program, "serve", "--json", "--data", data, "--bind", "127.0.0.1:0", "--admin-bind", "off"]
                + options,
            key: made["key"]?.stringValue ?? ""
        )
    }

    private static func contender(_ option: String) -> MCPContender {
        let halves = option.split(separator: "=", maxSplits: 1).map(String.init)
        let command = halves[1].split(separator: " ").map(String.init)
        return MCPContender(name: halves[0], stdio: command + ["stdio"], http: command + ["http"])
    }

    // MARK: Measuring

    private func measure(_ contender: MCPContender) throws -> Figures {
        var figures = Figures()
        try measureLines(contender, &figures)
        try measureHTTP(contender, &figures)
        return figures
    }

    private func measureLines(_ contender: MCPContender, _ figures: inout Figures) throws {
        let start = ClockModel.nanoseconds()
        let server = try LinePeer(contender.stdio)
        defer { server.end() }
        try server.tell(MCPContender.handshake)
        _ = try server.line()
        figures.startMs = Double(ClockModel.nanoseconds() - start) / 1e6
        try server.tell(MCPContender.opened)
        let times = try ask(server, calls) { MCPContender.call($0) }
        (figures.stdioP50Ms, figures.stdioP99Ms) = (times.quantile(0.5), times.quantile(0.99))
        Self.settle()
        _ = try ask(server, calls / 4) { MCPContender.call($0) }
        (figures.stdioResidentMB, figures.stdioBeyondDataMB, figures.stdioOwnMB) = try resident(server)
    }

    /// One call after the other; the first tenth warms up.
    private func ask(_ server: LinePeer, _ count: Int, _ line: (Int) -> String) throws -> LatencyTally {
        var times = LatencyTally(step: 0.002)
        for number in 1...(count + count / 10) {
            let line = line(number)
            let start = ClockModel.nanoseconds()
            try server.tell(line)
            let answer = try server.line()
            let end = ClockModel.nanoseconds()
            if number > count / 10 { times.add(Double(end - start) / 1e6) }
            if number == 1 { try MCPContender.check(answer) }
        }
        return times
    }

    private func measureHTTP(_ contender: MCPContender, _ figures: inout Figures) throws {
        let server = try LinePeer(contender.http)
        defer { server.end() }
        let (port, fields) = try contender.session(on: server)
        func load(_ connections: Int, _ count: Int) throws -> LoadClients.Outcome {
            var clients = try LoadClients(
                port: port,
                connections: connections,
                key: contender.key,
                fields: fields,
                latencyStep: 0.002
            )
            defer { clients.close() }
            var (asked, seen) = (0, false)
            return try clients.run {
                asked += 1
                return asked <= count ? ("POST /mcp", MCPContender.call(asked)) : nil
            } onAnswer: { answer in
                if !seen { try MCPContender.check(answer) }
                seen = true
            }
        }
        _ = try load(1, calls / 10)
        let alone = try load(1, calls)
        (figures.httpP50Ms, figures.httpP99Ms) = (alone.latencies.quantile(0.5), alone.latencies.quantile(0.99))
        figures.callsPerSecond = try load(connections, self.load).perSecond
        Self.settle()
        _ = try load(1, calls / 4)
        (figures.httpResidentMB, figures.httpBeyondDataMB, figures.httpOwnMB) = try resident(server)
    }

    /// Memory is read of a server that has been up for a while and is in use: ours gives back what only its start has used
    /// after a second.
    private static func settle() { usleep(2_000_000) }

    /// All of its memory, what of it is not the index's or the model's files, and what is no file's.
    private func resident(_ server: LinePeer) throws -> (Double, Double, Double) {
        let found = try server.residentKB()
        let data = URL(fileURLWithPath: demo).resolvingSymlinksInPath().path
        let beyond = found.filter { !$0.key.hasPrefix(data) && !$0.key.contains("/models/") }
        return (
            Double(found.values.reduce(0, +)) / 1_024, Double(beyond.values.reduce(0, +)) / 1_024,
            Double(found[""] ?? 0) / 1_024
        )
    }

    // MARK: Searching

    /// Questions of which no two are the same, so that no vector is remembered.
    private static func queries(_ count: Int) -> [String] {
        let things = ["pump", "valve", "motor", "sensor", "filter", "bearing", "cable", "panel"]
        let faults = ["leaks", "stalls", "overheats", "rattles", "corrodes", "drifts", "clogs"]
        let causes = ["after rain", "at full load", "in winter", "since the last service", "when started cold"]
        return (0..<max(100, count) * 2).map { number in
            "\(things[number % 8]) that \(faults[number % 7]) \(causes[number % 5]), case \(number)"
        }
    }

    private func searches(_ contender: MCPContender, _ queries: [String]) throws -> LatencyTally {
        let server = try LinePeer(contender.stdio)
        defer { server.end() }
        try server.tell(MCPContender.handshake)
        _ = try server.line()
        try server.tell(MCPContender.opened)
        return try ask(server, queries.count / 2) {
            MCPContender.call($0, "search_records", #"{"query":"\#(queries[$0 % queries.count])","limit":10}"#)
        }
    }

    /// The same questions, encoded one after the other in this process.
    private func embeddings(_ queries: [String]) async throws -> LatencyTally {
        let embedder = try model.load()
        var times = LatencyTally(step: 0.002)
        for (number, query) in queries.prefix(queries.count / 2).enumerated() {
            let start = ClockModel.nanoseconds()
            _ = try await embedder.embed([query], priority: .interactive)
            if number >= 20 { times.add(Double(ClockModel.nanoseconds() - start) / 1e6) }
        }
        return times
    }

    private static func medians(_ rounds: [Figures]) -> Figures {
        func of(_ figure: (Figures) -> Double) -> Double { median(rounds.map(figure)) }
        return Figures(
            startMs: of(\.startMs),
            stdioP50Ms: of(\.stdioP50Ms),
            stdioP99Ms: of(\.stdioP99Ms),
            httpP50Ms: of(\.httpP50Ms),
            httpP99Ms: of(\.httpP99Ms),
            callsPerSecond: of(\.callsPerSecond),
            stdioResidentMB: of(\.stdioResidentMB),
            httpResidentMB: of(\.httpResidentMB),
            stdioBeyondDataMB: of(\.stdioBeyondDataMB),
            httpBeyondDataMB: of(\.httpBeyondDataMB),
            stdioOwnMB: of(\.stdioOwnMB),
            httpOwnMB: of(\.httpOwnMB)
        )
    }
}
