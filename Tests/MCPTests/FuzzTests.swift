import Domain
import Foundation
import MCP
import Testing

/// Mutated dialogues against the codec and the session. A failing seed reproduces its run;
/// `PYAIRTABLE_LONG=1` and `PYAIRTABLE_FUZZ_ROUNDS` ask for more seeds than the quick run's, `PYAIRTABLE_FUZZ_SEED` for those from
/// there on.
@Suite("Fuzz")
struct FuzzTests {
    private static let environment = ProcessInfo.processInfo.environment
    static let rounds =
        environment["PYAIRTABLE_FUZZ_ROUNDS"].flatMap(Int.init) ?? (environment["PYAIRTABLE_LONG"] == "1" ? 2_000 : 60)
    private static let firstSeed = environment["PYAIRTABLE_FUZZ_SEED"].flatMap(UInt64.init) ?? 0
    private static let linesPerRound = 150

    static let corpus: [[UInt8]] = Transcript.all.flatMap { transcript in
        transcript.lines.filter { $0.hasPrefix("→ ") }.map { Array($0.dropFirst(2).utf8) }
    }

    @Test("OPS-04: mutated lines never crash the session, and each request among them gets exactly one answer")
    func session() throws {
        try #require(!Self.corpus.isEmpty)
        for seed in Self.firstSeed..<Self.firstSeed + UInt64(Self.rounds) {
            var run = FuzzRun(seed: seed)
            for _ in 0..<Self.linesPerRound { run.step() }
            run.stop()
            if let complaint = run.complaint {
                Issue.record("seed \(seed): \(complaint)")
                return
            }
        }
    }

    @Test("OPS-04: garbage on a real pipe leaves the server answering", arguments: 0..<4 as Range<UInt64>)
    func pipes(seed: UInt64) async throws {
        var mutator = LineMutator(seed: seed)
        var bytes: [UInt8] = []
        for _ in 0..<300 { bytes += mutator.line() + (mutator.chance(20) ? [] : [0x0A]) }
        try await withStdioServer { client in
            let marker = #"{"jsonrpc":"2.0","id":"the last one","method":"ping"}"#
            let garbage = bytes
            async let sent: Void = client.send(bytes: garbage + Array("\n\(marker)\n".utf8))
            var answer = try await client.receiveJSON()
            while answer["id"] != "the last one" { answer = try await client.receiveJSON() }
            try await sent
        }
    }
}

/// Makes lines out of the transcripts' lines.
struct LineMutator {
    private(set) var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    mutating func chance(_ oneIn: Int) -> Bool { Int.random(in: 0..<oneIn, using: &generator) == 0 }

    mutating func line() -> [UInt8] {
        var line = FuzzTests.corpus.randomElement(using: &generator) ?? []
        let mutations = chance(3) ? 0 : Int.random(in: 1...4, using: &generator)
        for _ in 0..<mutations where !line.isEmpty { mutate(&line) }
        return line.filter { $0 != 0x0A }
    }

    private mutating func mutate(_ line: inout [UInt8]) {
        let position = Int.random(in: 0..<line.count, using: &generator)
        let length = Int.random(in: 1...min(20, line.count - position), using: &generator)
        switch Int.random(in: 0..<7, using: &generator) {
        case 0: line[position] = .random(in: 0...255, using: &generator)
        case 1: line.removeSubrange(position..<position + length)
        case 2: line.insert(contentsOf: line[position..<position + length], at: position)
        case 3: line.removeSubrange(position...)
        case 4:
            let other = FuzzTests.corpus.randomElement(using: &generator) ?? []
            line.replaceSubrange(position..., with: other.dropFirst(position))
        case 5:
            line.insert(contentsOf: Array((Self.tokens.randomElement(using: &generator) ?? "").utf8), at: position)
        default:
            // A small change of a digit keeps ids and messages whole, but makes them meet.
            if let digit = line.indices.filter({ (0x30...0x39).contains(line[$0]) }).randomElement(using: &generator) {
                line[digit] = .random(in: 0x30...0x39, using: &generator)
            }
        }
    }

    private static let tokens = [
        "null", "[]", "{}", "\"", "\\u0000", "\\ud83e", "1e999", "-0", "[[[[", "\u{FEFF}", "\"id\":1,",
        "\"method\":\"ping\",",
        "\"params\":[],", "9007199254740993", ",", ":", "}", "]",
    ]
}

/// One session fed with mutated lines, its work finished, expired or left lying at random, and what it owes counted.
struct FuzzRun {
    private var mutator: LineMutator
    private var generator: SeededGenerator
    private var session = ServerSession(Transcript.configuration.offering(.everything()))
    private var waiting: [(id: WorkID, work: Work)] = []
    /// Requests of the server that no answer came to.
    private var asked: [MessageID] = []
    private var asks = 0
    /// By the id's text: requests less answers.
    private var owed: [String: Int] = [:]
    private var cancelled = 0
    private var exchangesReceived = 0
    /// Exchanges about which something may still be said, and whether something was.
    private var open: [ExchangeID: Bool] = [:]
    private(set) var complaint: String?

    init(seed: UInt64) {
        mutator = LineMutator(seed: seed)
        generator = SeededGenerator(seed: ~seed)
    }

    mutating func step() {
        let line = mutator.line()
        guard let inbound = MessageDecoder.decode(line) else { return }
        let value = try? JSONValue(parsing: line)
        for request in requests(in: value) { owed[request, default: 0] += 1 }
        exchangesReceived += 1
        let exchange = ExchangeID(number: exchangesReceived)
        open[exchange] = false
        let actions = session.handle(.received(inbound, exchange))
        if isOneWay(value),
            actions.contains(where: { if case .send(_, let its) = $0 { its == .exchange(exchange) } else { false } })
        {
            complaint = "answered what is never answered: \(String(decoding: line, as: UTF8.self))"
        }
        perform(actions, cancelsForGood: true)
        emit()
        while !waiting.isEmpty, Int.random(in: 0..<3, using: &generator) > 0 {
            let (id, work) = waiting.remove(at: .random(in: waiting.indices, using: &generator))
            let isLate = Int.random(in: 0..<4, using: &generator) == 0
            perform(session.handle(isLate ? .expired(id) : .finished(id, outcome(of: work))), cancelsForGood: false)
            // What comes after the end changes nothing.
            if isLate { perform(session.handle(.finished(id, outcome(of: work))), cancelsForGood: false) }
        }
    }

    mutating func stop() {
        perform(session.handle(.stopping), cancelsForGood: false)
        if !open.isEmpty { complaint = complaint ?? "exchanges were never settled: \(open.keys)" }
        if !session.isIdle { complaint = complaint ?? "not idle after the end" }
        if owed.values.contains(where: { $0 < 0 }) { complaint = complaint ?? "a request was answered twice: \(owed)" }
        let open = owed.values.reduce(0, +)
        if open != cancelled { complaint = complaint ?? "\(open) requests unanswered, \(cancelled) cancelled: \(owed)" }
    }

    private mutating func perform(_ actions: [SessionAction], cancelsForGood: Bool) {
        for action in actions.flatMap(\.atOnce) {
            switch action {
            case .send(let message, .unsolicited):
                if message.isAnswer { complaint = complaint ?? "an answer that nobody asked for: \(message)" }
            case .send(let message, .exchange(let exchange)) where !message.isAnswer:
                if open[exchange] != false { complaint = complaint ?? "said after the answer: \(message)" }
                if case .request(let id, _, _) = message { asked.append(id) }
            case .send(let message, .exchange(let exchange)):
                if open.updateValue(true, forKey: exchange) != false {
                    complaint = complaint ?? "more than one answer to one exchange, or one after its end: \(message)"
                }
                let bytes = message.json.encoded()
                if bytes.contains(0x0A) || (try? JSONValue(parsing: bytes)) != message.json {
                    complaint = complaint ?? "not one line of JSON: \(message)"
                }
                for answer in message.json.arrayValue ?? [message.json] { settle(answer) }
            case .start(let id, let assignment):
                waiting.append((id, assignment.work))
            case .answer, .watch, .release, .whenWatching:
                break
            case .settle(let exchange):
                if open.removeValue(forKey: exchange) == nil { complaint = complaint ?? "settled twice: \(exchange)" }
            case .cancel(let id):
                waiting.removeAll { $0.id == id }
                if cancelsForGood { cancelled += 1 }
            }
        }
    }

    private mutating func settle(_ answer: JSONValue) {
        guard let id = answer["id"], !id.isNull else { return }
        owed[id.text, default: 0] -= 1
    }

    /// Ids of the messages that are owed an answer under their id, by what the specification says, well-formed or not.
    private func requests(in value: JSONValue?) -> [String] {
        guard let elements = value?.arrayValue else { return value.flatMap(requestID).map { [$0] } ?? [] }
        guard session.revision == .march2025, (1...6).contains(elements.count) else { return [] }
        return elements.compactMap(requestID)
    }

    private func requestID(of value: JSONValue) -> String? {
        guard value.objectValue != nil, value["method"] != nil || (value["result"] == nil && value["error"] == nil)
        else { return nil }
        switch value["id"] {
        case .string?: return value["id"]?.text
        case .number(let number)? where !number.text.contains(where: { ".eE".contains($0) }): return number.text
        default: return nil
        }
    }

    /// Whether the value is a notification (other than one that can complete a batch) or a response.
    private func isOneWay(_ value: JSONValue?) -> Bool {
        guard let value, value.objectValue != nil else { return false }
        if let method = value["method"] {
            return value["jsonrpc"] == "2.0" && value["id"] == nil && method.stringValue != nil
                && method != "notifications/cancelled"
        }
        return value["result"] != nil || value["error"] != nil
    }

    /// Work says something, somebody answers, something changes.
    private mutating func emit() {
        if let (id, work) = waiting.randomElement(using: &generator) {
            let emission: WorkEmission? =
                switch (Int.random(in: 0..<6, using: &generator), work) {
                case (_, .listen(let interest)): .listening(interest)
                case (0, .callTool):
                    .asked(number: nextAsk(), [Transcript.question("confirm"), Transcript.question("roots")])
                case (1, _): .progress(ToolProgress(done: .random(in: -1...3, using: &generator)))
                case (2, _): .log(.warning, logger: "fake", data: "noise")
                case (3, _): .changed(.tools)
                case (4, _): .released
                default: nil
                }
            if let emission { perform(session.handle(.emitted(id, emission)), cancelsForGood: false) }
            if mutator.chance(9) { perform(session.handle(.unanswered(id)), cancelsForGood: false) }
        }
        if let id = asked.randomElement(using: &generator), mutator.chance(2) {
            let result: JSONValue = mutator.chance(2) ? ["action": "accept", "content": ["yes": true]] : ["roots": 7]
            let response = Response(id: id, outcome: mutator.chance(5) ? .error(result) : .result(result))
            exchangesReceived += 1
            let exchange = ExchangeID(number: exchangesReceived)
            open[exchange] = false
            perform(session.handle(.received(.single(.response(response)), exchange)), cancelsForGood: false)
        }
        if mutator.chance(7) { perform(session.handle(.changed(.resource(uri: "fake://a"))), cancelsForGood: false) }
    }

    private mutating func nextAsk() -> Int {
        asks += 1
        return asks
    }

    private func outcome(of work: Work) -> WorkOutcome { Transcript.outcome(of: work) }
}
