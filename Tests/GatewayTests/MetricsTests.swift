import CoreMetrics
import Domain
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import Gateway

@Suite("Metrics")
struct MetricsTests {
    @Test("counters, gauges and histograms have their Prometheus text")
    func text() {
        let registry = PrometheusRegistry()
        let counter = Counter(label: "b.requests", dimensions: [("route", "/a\"b\\\n")], factory: registry)
        counter.increment(by: 3)
        FloatingPointCounter(label: "b.bytes_total", factory: registry).increment(by: 1.5)
        let gauge = Meter(label: "a_depth", factory: registry)
        gauge.set(7)
        gauge.decrement(by: 2.5)
        let timer = CoreMetrics.Timer(label: "c_wait", factory: registry)
        timer.recordMilliseconds(3)
        timer.recordSeconds(100)
        registry.describe("a_depth", "How deep.\nReally.")
        let lines = registry.text().split(separator: "\n").map(String.init)
        #expect(lines.prefix(3) == ["# HELP a_depth How deep.\\nReally.", "# TYPE a_depth gauge", "a_depth 4.5"])
        #expect(lines.contains("# TYPE b_requests_total counter"))
        #expect(lines.contains(#"b_requests_total{route="/a\"b\\\n"} 3"#))
        #expect(lines.contains("b_bytes_total 1.5"))
        #expect(lines.contains("# TYPE c_wait_seconds histogram"))
        #expect(lines.contains(#"c_wait_seconds_bucket{le="0.0025"} 0"#))
        #expect(lines.contains(#"c_wait_seconds_bucket{le="0.005"} 1"#))
        #expect(lines.contains(#"c_wait_seconds_bucket{le="30"} 1"#))
        #expect(lines.contains(#"c_wait_seconds_bucket{le="+Inf"} 2"#))
        #expect(lines.contains("c_wait_seconds_sum 100.003"))
        #expect(lines.contains("c_wait_seconds_count 2"))
    }

    @Test("the same name and labels are the same series, in whatever order the labels come")
    func identity() {
        let registry = PrometheusRegistry()
        Counter(label: "x_total", dimensions: [("a", "1"), ("b", "2")], factory: registry).increment()
        Counter(label: "x_total", dimensions: [("b", "2"), ("a", "1")], factory: registry).increment()
        #expect(registry.text() == "# TYPE x_total counter\nx_total{a=\"1\",b=\"2\"} 2\n")
    }

    @Test("labels beyond the limit are counted together")
    func cardinality() {
        let registry = PrometheusRegistry(seriesLimit: 3)
        for number in 0..<100 {
            Counter(label: "x_total", dimensions: [("id", "\(number)")], factory: registry).increment()
        }
        let text = registry.text()
        #expect(text.split(separator: "\n").count == 1 + 3 + 1)
        #expect(text.contains("x_total{id=\"overflow\"} 97"))
    }

    @Test("a name used for two kinds keeps the first, and nothing falls over")
    func kinds() {
        let registry = PrometheusRegistry()
        Meter(label: "x_total", factory: registry).set(1)
        Counter(label: "x_total", factory: registry).increment(by: 5)
        Recorder(label: "y", factory: registry).record(Double.nan)
        Recorder(label: "y", factory: registry).record(3)
        let text = registry.text()
        #expect(text.contains("# TYPE x_total gauge\nx_total 1\n"))
        #expect(text.contains("y_sum 3\n"))
        #expect(text.contains("y_count 1\n"))
    }

    @Test("a destroyed metric is gone")
    func destroyed() {
        let registry = PrometheusRegistry()
        let counter = Counter(label: "x_total", factory: registry)
        counter.increment()
        counter.destroy()
        #expect(registry.text().isEmpty)
    }

    @Test("names are made fit", arguments: [("a.b-c", "a_b_c"), ("9x", "_9x"), ("é", "_"), ("a:b", "a:b"), ("", "_")])
    func names(_ label: String, _ expected: String) {
        #expect(MetricText.name(label) == expected)
    }

    @Test("counting from many tasks loses nothing")
    func concurrent() async {
        let registry = PrometheusRegistry()
        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1_000 {
                        Counter(label: "x_total", factory: registry).increment()
                        Recorder(label: "y", factory: registry).record(1)
                    }
                }
            }
        }
        #expect(registry.text().contains("x_total 8000\n"))
        #expect(registry.text().contains("y_count 8000\n"))
    }

    @Test("GW-12: the admin listener shows what the public one did, and no API")
    func admin() async throws {
        try await withGateway { fixture in
            fixture.metrics.addProcessMetrics()
            fixture.metrics.addGauge("pyairtable_index_lag_seconds", "How far behind.", labels: [("a", "b")]) { 0.25 }
            let server = fixture.server()
            try await server.publicApplication.test(.router) { client in
                for _ in 0..<3 { _ = try await client.send(.get, "/api/v1/airtable/bases", key: fixture.key) }
                _ = try await client.send(.get, "\(fixture.tablePath)/records", key: fixture.key)
                for path in ["/one", "/two", "/three"] { _ = try await client.send(.init("BREW")!, path) }
            }
            let admin = try #require(server.adminApplication)
            try await admin.test(.router) { client in
                let answer = try await client.send(.get, "/metrics")
                #expect(answer.status == 200)
                #expect(answer.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
                let text = answer.text
                let bases = #"listener="public",method="GET",route="/api/v1/airtable/bases""#
                #expect(text.contains("pyairtable_http_requests_total{\(bases),status=\"200\"} 3\n"))
                #expect(text.contains("pyairtable_http_request_duration_seconds_count{\(bases)} 3\n"))
                #expect(text.contains(#"route="/api/v1/airtable/bases/{baseId}/tables/{tableId}/records""#))
                let unmatched = #"listener="public",method="OTHER",route="unmatched",status="404""#
                #expect(text.contains("pyairtable_http_requests_total{\(unmatched)} 3\n"))
                #expect(text.contains("pyairtable_http_requests_in_flight{listener=\"public\"} 0\n"))
                #expect(text.contains("pyairtable_index_lag_seconds{a=\"b\"} 0.25\n"))
                #expect(!text.contains(fixture.base.id.description))
                let resident = text.firstMatch(of: /process_resident_memory_bytes (\d+)/).flatMap { Double($0.1) }
                #expect((resident ?? 0) > 1_000_000)
                for line in text.split(separator: "\n") {
                    let isComment = line.hasPrefix("# HELP ") || line.hasPrefix("# TYPE ")
                    let isSample = line.wholeMatch(of: /[a-z_:][a-z0-9_:]*(\{.*\})? [-+0-9.eInfNa]+/) != nil
                    #expect(isComment || isSample, "\(line)")
                }
                #expect(try await client.send(.get, "/health").status == 200)
                #expect(try await client.send(.get, "/api/v1/airtable/bases", key: fixture.key).status == 404)
            }
        }
    }
}
