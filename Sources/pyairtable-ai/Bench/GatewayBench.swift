import ArgumentParser
import Domain
import Foundation
import Gateway
import Logging
import ServiceLifecycle

/// What the gateway costs: `GET /api/v1/users/me` with an access token, beside the framework's empty route in the same
/// run; and how soon and how small the server is.
///
/// Server and framework are processes of their own, started by this one from the same program; its clients are one
/// thread. Rounds alternate, and each figure is their median.
struct GatewayBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gateway",
        abstract: "Measure the gateway beside the empty route of its framework."
    )

    @Option(help: "A directory that is not there yet; a server with an account is made in it.")
    var data: String

    @Option(help: "Connections at once.")
    var connections = 64

    @Option(help: "Times each figure is measured.")
    var rounds = 7

    @Option(help: "Requests of each round.")
    var requests = 60_000

    private struct Report: Encodable {
        var connections: Int
        var rounds: Int
        var requests: Int
        var barePerSecond = 0.0
        var bareP99Ms = 0.0
        var mePerSecond = 0.0
        var meP99Ms = 0.0
        var meWithKeyPerSecond = 0.0
        var shareOfBare = 0.0
        var startToFirst200Ms = 0.0
        var idleResidentMB = 0.0
    }

    func validate() throws {
        guard connections > 0, rounds > 0, requests >= 1_000 else {
            throw ValidationError("--requests from 1000, --connections and --rounds above 0")
        }
    }

    func run() async throws {
        var report = Report(connections: connections, rounds: rounds, requests: requests)
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        // Nobody is to be refused for being fast.
        let settings = #"{"registration":"open","requestLimits":"off"}"#
        try Data(settings.utf8).write(to: URL(fileURLWithPath: data + "/config.json"))
        let serve = [
            "serve", "--json", "--data", data, "--bind", "127.0.0.1:0", "--admin-bind", "off", "--embedder", "hash",
        ]
        var key = ""
        do {
            let first = try BenchProcess(serve)
            key = try first.ready()["key"]?.stringValue ?? ""
            first.end()
        }
        var (starts, memory): ([Double], [Double]) = ([], [])
        for _ in 0..<rounds {
            let start = ContinuousClock.now
            let server = try BenchProcess(serve)
            let port = try server.port()
            _ = try LoopbackExchange.ask(port: port, "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", wants: 200)
            starts.append(start.duration(to: .now).inSeconds * 1_000)
            try await Task.sleep(for: .seconds(2))
            memory.append(try server.residentMB())
            server.end()
        }
        (report.startToFirst200Ms, report.idleResidentMB) = (median(starts), median(memory))
        try await compare(serve, key, &report)
        try ANNBenchProcess.writeLine(report)
    }

    private func compare(_ serve: [String], _ key: String, _ report: inout Report) async throws {
        let server = try BenchProcess(serve)
        let bare = try BenchProcess(["bench", "bare"])
        defer {
            server.end()
            bare.end()
        }
        let (port, barePort) = (try server.port(), try bare.port())
        let token = try Self.accessToken(port: port)
        func load(_ port: Int, _ line: String, _ bearer: String) throws -> LoadClients.Outcome {
            var clients = try LoadClients(port: port, connections: connections, key: bearer)
            defer { clients.close() }
            var left = requests
            return try clients.run {
                left -= 1
                return left >= 0 ? (line, nil) : nil
            }
        }
        var (bares, mes, keys): ([LoadClients.Outcome], [LoadClients.Outcome], [LoadClients.Outcome]) = ([], [], [])
        _ = try load(barePort, "GET /", "")
        _ = try load(port, "GET /api/v1/users/me", token)
        for _ in 0..<rounds {
            bares.append(try load(barePort, "GET /", ""))
            mes.append(try load(port, "GET /api/v1/users/me", token))
            keys.append(try load(port, "GET /v0/meta/whoami", key))
        }
        report.barePerSecond = median(bares.map(\.perSecond))
        report.bareP99Ms = median(bares.map { $0.latencies.quantile(0.99) })
        report.mePerSecond = median(mes.map(\.perSecond))
        report.meP99Ms = median(mes.map { $0.latencies.quantile(0.99) })
        report.meWithKeyPerSecond = median(keys.map(\.perSecond))
        report.shareOfBare = report.mePerSecond / report.barePerSecond
    }

    private static func accessToken(port: Int) throws -> String {
        let body = #"{"email":"bench@example.org","password":"a long phrase for benches 7","name":"Bench"}"#
        let text = """
            POST /api/v1/auth/register HTTP/1.1\r
            Host: 127.0.0.1\r
            Content-Type: application/json\r
            Content-Length: \(body.utf8.count)\r
            \r
            \(body)
            """
        let answer = try JSONValue(parsing: try LoopbackExchange.ask(port: port, text, wants: 201))
        guard let token = answer["accessToken"]?.stringValue else {
            throw LoopbackSocket.Refused(description: "no token in the answer to a registration")
        }
        return token
    }
}

/// The framework's empty route, for `GatewayBench`.
struct BareBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bare",
        abstract: "Serve one empty route.",
        shouldDisplay: false
    )

    private struct Ready: Encodable {
        var url: String
    }

    func run() async throws {
        let logger = Logger(label: "bare", factory: { _ in SwiftLogNoOpLogHandler() })
        let application = BareServer.application(logger: logger) { port in
            try? ANNBenchProcess.writeLine(Ready(url: "http://127.0.0.1:\(port ?? 0)"))
        }
        try await ServiceGroup(services: [application], logger: logger).run()
    }
}
