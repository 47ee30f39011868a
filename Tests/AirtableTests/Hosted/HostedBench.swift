import Domain
import Outbound
import Synchronization
import TestSupport

@testable import Airtable

/// Carries requests to a stand-in, with the time that a network takes.
struct StandInTransport: HTTPTransport {
    let upstream: HostedStandIn
    let time: VirtualTime
    /// To the service and back, by the number of the request.
    let latency: @Sendable (Int) -> (there: Duration, back: Duration)
    private let sent = Counter()

    func send(_ request: OutboundRequest) async throws -> OutboundReply {
        let (there, back) = latency(sent.next())
        guard there < request.deadlines.total else {
            try await time.sleep(request.deadlines.total)
            throw OutboundError(.timedOut, "too slow")
        }
        try await time.sleep(there)
        let prefix = "http://hosted.test/v0/"
        precondition(request.url.hasPrefix(prefix), request.url)
        let reply = upstream.handle(
            request.method.rawValue,
            String(request.url.dropFirst(prefix.count)),
            body: request.body,
            token: request.secretHeaders.first?.value.revealed ?? "",
            at: time.now
        )
        try await time.sleep(back)
        switch reply {
        case .cut: throw OutboundError(.connectionLost, "cut")
        case .answer(let status, let body):
            return OutboundReply(status: status, headers: [], body: OutboundBody(body))
        }
    }

    final class Counter: Sendable {
        private let count = Mutex(0)
        func next() -> Int {
            count.withLock { count in
                count += 1
                return count
            }
        }
    }
}

/// A client of a stand-in, in virtual time.
struct HostedBench: Sendable {
    static let base = BaseID("appAAAAAAAAAAAAAA")!
    static let things = "Things"

    let time = VirtualTime()
    let upstream: HostedStandIn
    let client: HostedClient
    let events = Guarded<[HostedEvent: Int]>([:])

    init(
        rules: HostedRules = HostedRules(),
        callsPerSecond: Int = 5,
        fault: @escaping @Sendable (Int) -> HostedStandIn.Fault? = { _ in nil },
        latency: @escaping @Sendable (Int) -> (there: Duration, back: Duration) = { _ in
            (.milliseconds(20), .milliseconds(80))
        },
        random: @escaping @Sendable () -> Double = { 0.5 }
    ) throws {
        upstream = HostedStandIn(callsPerSecond: callsPerSecond, fault: fault)
        let fields: [JSONObject] = [
            ["id": "fldAAAAAAAAAAAAAA", "name": "Name", "type": "singleLineText"],
            ["id": "fldBBBBBBBBBBBBBB", "name": "Number", "type": "number", "options": ["precision": 0]],
        ]
        upstream.add(
            base: Self.base.description,
            name: "Base",
            [HostedStandIn.Table(id: "tblAAAAAAAAAAAAAA", name: Self.things, fields: fields)]
        )
        let (time, events) = (time, events)
        client = HostedClient(
            transport: StandInTransport(upstream: upstream, time: time, latency: latency),
            configuration: try HostedConfiguration(endpoint: "http://hosted.test/", rules: rules),
            clock: OutboundClock(now: { time.now }, sleep: { try await time.sleep($0) }),
            random: random,
            executor: time,
            observe: { event in events.update { $0[event, default: 0] += 1 } }
        )
    }

    var target: HostedTarget { HostedTarget(base: Self.base, table: Self.things) }

    func call(
        _ caller: String = "ann",
        _ lane: HostedLane = .interactive,
        patience: Duration = .seconds(3_600),
        token: String = "patToken"
    ) -> HostedCall {
        HostedCall(token: OutboundSecret(token), caller: caller, lane: lane, deadline: time.now + patience)
    }

    func count(_ event: HostedEvent) -> Int { events.value[event] ?? 0 }

    /// Makes records upstream behind the client's back.
    func seed(_ count: Int) -> [RecordID] {
        upstream.change(Self.base.description) { tables in
            for number in 1...count {
                let id = "rec" + String(repeating: "0", count: 14 - "9\(number)".count) + "9\(number)"
                tables[0].rows.append(
                    .init(id: id, createdTime: "2024-05-01T12:00:00.000Z", fields: ["Name": .string("n\(number)")])
                )
            }
        }
        return upstream.rows(Self.base.description).compactMap { RecordID($0.id) }
    }

    /// The most requests of one base that arrived within one second.
    var arrivalsPerSecondMax: Int {
        let times = upstream.arrivals.map(\.time).sorted()
        return times.map { end in times.count { $0 > end - .seconds(1) && $0 <= end } }.max() ?? 0
    }
}
