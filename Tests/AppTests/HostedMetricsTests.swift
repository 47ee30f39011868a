import Airtable
import Domain
import Gateway
import Outbound
import TestSupport
import Testing

@testable import App

@Suite("Metrics of the hosted service's client")
struct HostedMetricsTests {
    private struct Bases: HTTPTransport {
        let status: Int

        func send(_ request: OutboundRequest) async throws -> OutboundReply {
            OutboundReply(status: status, headers: [], body: OutboundBody(Array(#"{"bases":[]}"#.utf8)))
        }
    }

    @Test("count calls, cache hits and misses, and failures")
    func counts() async throws {
        var rules = HostedRules()
        rules.backoffBase = .milliseconds(1)
        for (status, lines) in [
            (
                200,
                [
                    "pyairtable_hosted_calls_total 1", "pyairtable_hosted_cache_hits_total 2",
                    "pyairtable_hosted_cache_misses_total 1", "pyairtable_hosted_server_errors_total 0",
                    "pyairtable_hosted_waiting 0", "pyairtable_hosted_running 0",
                ]
            ), (500, ["pyairtable_hosted_server_errors_total 6", "pyairtable_hosted_retries_total 5"]),
        ] {
            let client = HostedClient(
                transport: Bases(status: status),
                configuration: try HostedConfiguration(endpoint: "http://hosted.test", rules: rules)
            )
            let registry = PrometheusRegistry()
            registry.addHosted(client)
            let call = HostedCall(token: OutboundSecret("t"), caller: "a", deadline: .now + .seconds(60))
            for _ in 0..<(status == 200 ? 3 : 1) {
                // What fails is counted too.
                do { _ = try await client.bases(call) } catch { #expect(status == 500) }
            }
            let text = registry.text()
            for line in lines { #expect(text.contains("\n\(line)\n"), "\(line) in \(text)") }
        }
    }
}
