import Airtable
import App
import Domain
import Foundation

/// The part of `AirtableBench` that asks a server.
struct AirtableBenchRun: Sendable {
    let bench: AirtableBench
    let services: Services
    let context: RequestContext
    let table: Table
    let port: Int
    let key: String

    private var path: String { "/v0/\(table.base)/\(table.id)" }
    private var airtable: AirtableService { services.airtable }

    func measure(_ first: AirtableBench.Report) async throws -> AirtableBench.Report {
        var report = first
        let places = try await places()
        try await reading(places, &report)
        try await filtering(&report)
        report.createdRecordsPerSecond = try await creating(named: "Made", indexed: [])
        report.createdRecordsPerSecondWithTwoIndexes = try await creating(
            named: "Indexed",
            indexed: ["Code", "Quantity"]
        )
        report.fanOutOf1000Ms = try await fanOut()
        return report
    }

    private struct Places: Sendable {
        var ids: [RecordID] = []
        /// Of pages of 100; empty for the first.
        var offsets: [String] = [""]
    }

    /// Every record and every page, read once.
    private func places() async throws -> Places {
        var places = Places()
        var query = RecordQuery()
        query.fields = [table.fields[0].name]
        while true {
            let page = try await airtable.list(query, in: table.id, context: context)
            places.ids += page.records.map(\.id)
            guard let offset = page.offset else { return places }
            places.offsets.append(offset)
            query.offset = offset
        }
    }

    // MARK: Reading

    private func reading(_ places: Places, _ report: inout AirtableBench.Report) async throws {
        let (count, path) = (bench.requests, path)
        func gets(_ number: Int) -> String { "GET \(path)/\(places.ids[number &* 7_919 % places.ids.count])" }
        func page(_ number: Int) -> String {
            let offset = places.offsets[number &* 7_919 % places.offsets.count]
            return "GET \(path)?pageSize=100\(offset.isEmpty ? "" : "&offset=\(Self.escaped(offset))")"
        }
        _ = try await load(count / 10) { (gets($0), nil) }
        var outcomes: [LoadClients.Outcome] = []
        for _ in 0..<bench.rounds { outcomes.append(try await load(count) { (gets($0), nil) }) }
        report.getRecordPerSecond = median(outcomes.map(\.perSecond))
        report.getRecordP99Ms = median(outcomes.map { $0.latencies.quantile(0.99) })
        outcomes = []
        for _ in 0..<bench.rounds { outcomes.append(try await load(count / 10) { (page($0), nil) }) }
        report.listPagesPerSecond = median(outcomes.map(\.perSecond))
        let before = Double(ANNBenchProcess.residentBytes()) / 1_048_576
        var most = before
        var query = "GET \(path)?pageSize=100"
        var isOver = false
        _ = try await load(Int.max, connections: 1) { _ in
            isOver ? nil : (query, nil)
        } onAnswer: { body in
            most = max(most, Double(ANNBenchProcess.residentBytes()) / 1_048_576)
            let offset = Self.offset(in: body)
            isOver = offset == nil
            query = "GET \(path)?pageSize=100&offset=\(Self.escaped(offset ?? ""))"
        }
        (report.residentMBBeforeList, report.residentMBMostDuringList) = (before, most)
    }

    // MARK: Filtering

    private func filtering(_ report: inout AirtableBench.Report) async throws {
        // Few records fit, so that the whole table is looked through.
        let pushed = "AND({Quantity}>97, {Status}='Done', FIND('cable', {Notes})=1)"
        report.filterThreeTermsMs = try await filter { _ in pushed }.quantile(0.5)
        let unpushed = "AND({Quantity}+0>97, LOWER({Name})!='x', SEARCH('cable', {Notes})=1)"
        report.filterThreeTermsUnpushedMs = try await filter { _ in unpushed }.quantile(0.5)
        func equality(_ number: Int) -> String { "{Code}='\(AirtableBenchData.code(number &* 7_919 % bench.records))'" }
        report.filterEqualityWithoutIndexMs = try await filter(equality).quantile(0.5)
        let start = ContinuousClock.now
        // The status of the three terms was asked for often enough, too.
        let built = try await airtable.fieldIndexes.buildWanted()
        guard built > 0 else {
            throw LoopbackSocket.Refused(description: "no index was wanted: --records is below what deserves one")
        }
        report.indexBuildMs = start.duration(to: .now).inSeconds * 1_000 / Double(built)
        let latencies = try await filter(times: 500, equality)
        report.filterEqualityMs = latencies.quantile(0.5)
        report.filterEqualityP99Ms = latencies.quantile(0.99)
    }

    /// One client, one request after the other.
    private func filter(times: Int? = nil, _ formula: (Int) -> String) async throws -> LatencyTally {
        let path = path
        let lines = (0..<(times ?? max(bench.rounds, 5))).map { number in
            "GET \(path)?filterByFormula=\(Self.escaped(formula(number)))"
        }
        return try await load(lines.count, connections: 1) { (lines[$0], nil) }.latencies
    }

    // MARK: Writing

    private func creating(named name: String, indexed: [String]) async throws -> Double {
        let fields = table.fields.map { field in
            var options = field.options
            // Choices keep their identifiers within their own field only.
            options.choices = options.choices?.map { SelectChoice(id: .random(), name: $0.name, color: $0.color) }
            return FieldDraft(name: field.name, type: field.type, options: options)
        }
        let made = try await airtable.createTable(
            TableDraft(name: name, fields: fields),
            in: table.base,
            context: context
        )
        for field in made.fields where indexed.contains(field.name) {
            try await airtable.fieldIndexes.make(field.id, in: made.id, context: context)
        }
        let count = bench.requests / 5
        let bodies = (0..<min(count, 500)).map { AirtableBenchData.tenRecords(made, from: $0 * 10) }
        let line = "POST /v0/\(made.base)/\(made.id)"
        var rates: [Double] = []
        for _ in 0..<bench.rounds {
            rates.append(10 * (try await load(count) { (line, bodies[$0 % bodies.count]) }).perSecond)
        }
        return median(rates)
    }

    /// One edit that 1,000 lookups in another table hang on.
    private func fanOut() async throws -> Double {
        let schema = try await airtable.createBase(
            name: "Fan-out",
            tables: [
                TableDraft(
                    name: "Orders",
                    fields: [FieldDraft(name: "Name", type: .singleLineText), FieldDraft(name: "Rate", type: .number)]
                ),
                TableDraft(
                    name: "Lines",
                    fields: [FieldDraft(name: "Name", type: .singleLineText), .link("Order", to: "Orders")]
                ),
            ],
            context: context
        )
        let (orders, lines) = (schema.tables[0], schema.tables[1])
        var options = FieldOptions()
        options.recordLinkField = lines.field("Order")?.id
        options.fieldInLinkedTable = orders.field("Rate")?.id
        _ = try await airtable.createField(
            FieldDraft(name: "Rates", type: .multipleLookupValues, options: options),
            in: lines.id,
            context: context
        )
        let order = try await airtable.create([RecordDraft(fields: ["Name": "o"])], in: orders.id, context: context)[0]
        let drafts = (0..<1_000).map { number in
            RecordDraft(fields: ["Name": .string("line \(number)"), "Order": [.string(order.id.description)]])
        }
        _ = try await airtable.create(drafts, in: lines.id, context: context)
        var times: [Double] = []
        for rate in 0..<(4 * bench.rounds) {
            let update = RecordUpdate(id: order.id, fields: ["Rate": .number(JSONNumber(Int64(rate)))])
            let start = ContinuousClock.now
            _ = try await airtable.update([update], in: orders.id, context: context)
            times.append(start.duration(to: .now).inSeconds * 1_000)
        }
        return median(times)
    }

    // MARK: Clients

    private func load(
        _ count: Int,
        connections: Int? = nil,
        _ request: @escaping (Int) -> (line: String, body: String?)?,
        onAnswer: @escaping (ArraySlice<UInt8>) throws -> Void = { _ in }
    ) async throws -> LoadClients.Outcome {
        let (port, key, connections) = (port, key, connections ?? bench.connections)
        // Safe: the thread alone calls it, and the caller waits for that thread's end.
        nonisolated(unsafe) let next = request
        // Safe for the same reason.
        nonisolated(unsafe) let answer = onAnswer
        return try await withCheckedThrowingContinuation { continuation in
            Thread {
                continuation.resume(
                    with: Result {
                        var clients = try LoadClients(port: port, connections: connections, key: key)
                        defer { clients.close() }
                        var number = 0
                        return try clients.run {
                            guard number < count else { return nil }
                            number += 1
                            return next(number - 1)
                        } onAnswer: {
                            try answer($0)
                        }
                    }
                )
            }.start()
        }
    }

    private static func escaped(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? text
    }

    private static func offset(in body: ArraySlice<UInt8>) -> String? {
        // It stands at the end, after the records.
        let tail = String(decoding: body.suffix(120), as: UTF8.self)
        guard let mark = tail.range(of: "\"offset\":\"") else { return nil }
        return String(tail[mark.upperBound...].prefix { $0 != "\"" })
    }
}
