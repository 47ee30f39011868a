import Airtable
import Gateway

extension PrometheusRegistry {
    /// What the client of the hosted service does.
    func addHosted(_ client: HostedClient) {
        func count(_ name: String, _ help: String, _ events: HostedEvent...) {
            addCounter("pyairtable_hosted_\(name)_total", help) {
                let counts = client.eventCounts
                return Double(events.reduce(0) { $0 + (counts[$1] ?? 0) })
            }
        }
        count("calls", "Requests that went out to the hosted service.", .sent)
        count("cache_hits", "Reads answered from memory.", .cacheHit)
        count("cache_misses", "Reads that had to be asked for.", .cacheMiss)
        count("joined", "Reads and single writes that went out with others.", .joinedRead, .joinedWrite)
        count("limited", "Answers 429.", .limited)
        count("server_errors", "Answers 5xx, and calls without an answer.", .failed)
        count("retries", "Calls that were tried again.", .retried)
        count("expired", "Calls whose deadline came before their answer.", .expired)
        addGauge("pyairtable_hosted_waiting", "Calls that wait for their turn.") { Double(client.load.waiting) }
        addGauge("pyairtable_hosted_running", "Requests under way.") { Double(client.load.running) }
        addCounter("pyairtable_hosted_wait_seconds_total", "Time that calls have waited for their turn.") {
            let waited = client.load.waited.components
            return Double(waited.seconds) + Double(waited.attoseconds) * 1e-18
        }
    }
}
