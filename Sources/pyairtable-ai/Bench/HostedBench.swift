import Airtable
import App
import ArgumentParser
import Domain

/// How long many callers at once take through the gateway to the hosted service, beside the floor of its limit.
///
/// The service is what AIRTABLE_ENDPOINT_URL and AIRTABLE_API_KEY say, best another server of ours with `RATE_LIMITS=on`.
/// Every call reads another page of one record, so that none is answered from memory or joined with another.
struct HostedBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hosted",
        abstract: "Measure the gateway to the hosted service against its rate limit."
    )

    @OptionGroup var shared: SharedOptions

    @Option(help: "A base there.")
    var base: String

    @Option(help: "A table of it, with a field of numbers.")
    var table: String

    @Option(help: "That field.")
    var field = "Number"

    @Option(help: "Callers at once.")
    var callers = 100

    @Option(help: "Calls of each, one after the other.")
    var calls = 3

    private struct Report: Encodable {
        var calls: Int
        var seconds: Double
        /// So many calls at five a second, the first five at once.
        var floorSeconds: Double
        var overFloor: Double
        var limited: Int
        var failures: Int
        var cacheHits: Int
    }

    func run() async throws {
        guard let id = BaseID(base) else { throw ValidationError("\(base) is no identifier of a base") }
        try await withServices(shared) { services, _ in
            guard let token = services.configuration.hosted.token else {
                throw ValidationError("AIRTABLE_API_KEY is not set")
            }
            let client = services.hosted.upstream.client
            let (table, field, calls) = (table, field, calls)
            let start = ContinuousClock.now
            let failures = await withTaskGroup { group in
                for caller in 0..<callers {
                    group.addTask {
                        var failures = 0
                        for number in 0..<calls {
                            var listing = HostedListing()
                            listing.pageSize = 1
                            listing.filterByFormula = "{\(field)}=\(caller * calls + number)"
                            let call = HostedCall(token: token, caller: "\(caller)", deadline: .now + .seconds(600))
                            do { _ = try await client.page(listing, of: table, in: id, call) } catch { failures += 1 }
                        }
                        return failures
                    }
                }
                return await group.reduce(0, +)
            }
            let time = (ContinuousClock.now - start).components
            let seconds = Double(time.seconds) + Double(time.attoseconds) * 1e-18
            let total = callers * calls
            let floor = Double(max(total - 5, 1)) / 5
            let counts = client.eventCounts
            try Console.writeLine(
                JSONCoder.value(
                    of: Report(
                        calls: total,
                        seconds: seconds,
                        floorSeconds: floor,
                        overFloor: seconds / floor,
                        limited: counts[.limited] ?? 0,
                        failures: failures,
                        cacheHits: counts[.cacheHit] ?? 0
                    )
                )
            )
        }
    }
}
