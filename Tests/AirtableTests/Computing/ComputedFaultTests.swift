import Access
import Database
import Domain
import Synchronization
import TestSupport
import Testing

@testable import Airtable

/// A write that fails half way, and writers at once, leave no computed cell behind.
@Suite("Computed fields under faults")
struct ComputedFaultTests {
    @Test("writes that end in the middle leave all cells as they were", arguments: DatabaseKind.allCases)
    func failing(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let faults = Faults()
            let service = store.otherProcess(FailingDatabase(database: store.database, faults: faults))
            var run = RandomEdits(try await Shop(store), seed: 7)
            for _ in 0..<30 { _ = try await run.edit() }
            run.shop = Shop(store.with(service), base: run.shop.base)
            var generator = SeededGenerator(seed: 8)
            for number in 1...120 {
                faults.fail(atStatement: Int.random(in: 1...25, using: &generator))
                do { _ = try await run.edit() } catch is Faults.Fault {}
                faults.fail(atStatement: nil)
                let problems = try await run.shop.differences()
                #expect(problems.isEmpty, "edit \(number): \(problems)")
                if !problems.isEmpty { return }
            }
            #expect(faults.count > 30, "\(faults.count) writes ended in the middle")
            try await store.expectSound()
        }
    }

    @Test("two writers at once leave what a full recomputation gives", arguments: DatabaseKind.allCases)
    func writers(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            var first = RandomEdits(try await Shop(store), seed: 11)
            for _ in 0..<30 { _ = try await first.edit() }
            let base = first.shop.base
            for round in 0..<4 {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for writer in 0..<2 {
                        let shop = Shop(store.with(store.otherProcess()), base: base)
                        group.addTask {
                            var run = RandomEdits(shop, seed: UInt64(100 + 10 * round + writer), schema: writer == 0)
                            for _ in 0..<25 {
                                // What one names, the other may just have taken away.
                                do { _ = try await run.edit() } catch let error as AirtableError
                                    where error.code != .corrupt
                                {}
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                let problems = try await first.shop.differences()
                #expect(problems.isEmpty, "round \(round): \(problems)")
            }
            try await store.expectSound()
        }
    }
}

extension StoreFixture {
    /// The same store through another service.
    func with(_ service: AirtableService) -> StoreFixture {
        StoreFixture(database: database, access: access, service: service, clock: clock, context: context)
    }
}

/// Where the next write is to end.
final class Faults: Sendable {
    struct Fault: Error {}

    private struct State {
        var left: Int?
        var count = 0
    }
    private let state = Mutex(State())

    /// How many writes ended so.
    var count: Int { state.withLock { $0.count } }

    func fail(atStatement number: Int?) { state.withLock { $0.left = number } }

    func statement() throws {
        try state.withLock { state in
            guard let left = state.left else { return }
            state.left = left - 1
            if left > 1 { return }
            state.count += 1
            throw Fault()
        }
    }
}

/// A database whose writes end in the middle when told to.
private struct FailingDatabase: SQLDatabase {
    let database: any SQLDatabase
    let faults: Faults

    var dialect: SQLDialect { database.dialect }
    var location: String { database.location }
    var statistics: DatabaseStatistics { database.statistics }

    func read<T: Sendable>(
        of scope: RowScope,
        deadline: ContinuousClock.Instant?,
        _ body: @escaping @Sendable (any Transaction) throws -> T
    ) async throws -> T { try await database.read(of: scope, deadline: deadline, body) }

    func write<T: Sendable>(
        of scope: RowScope,
        deadline: ContinuousClock.Instant?,
        _ body: @escaping @Sendable (any Transaction) throws -> T
    ) async throws -> T {
        try await database.write(of: scope, deadline: deadline) { [faults] transaction in
            try body(FailingTransaction(transaction: transaction, faults: faults))
        }
    }

    func integrityCheck() async throws -> [String] { try await database.integrityCheck() }
    func close() async {}
}

private struct FailingTransaction: Transaction {
    let transaction: any Transaction
    let faults: Faults

    var dialect: SQLDialect { transaction.dialect }

    func rows(_ sql: String, _ arguments: [SQLValue]) throws -> [Row] {
        try faults.statement()
        return try transaction.rows(sql, arguments)
    }

    func forEachRow(_ sql: String, _ arguments: [SQLValue], _ body: (Row) throws -> Void) throws {
        try faults.statement()
        try transaction.forEachRow(sql, arguments, body)
    }

    func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int {
        try faults.statement()
        return try transaction.execute(sql, arguments)
    }

    func execute(_ sql: String, each argumentLists: [[SQLValue]]) throws -> Int {
        try faults.statement()
        return try transaction.execute(sql, each: argumentLists)
    }

    func savepoint<T>(_ body: () throws -> T) throws -> T { try transaction.savepoint(body) }
    func lock(_ name: String) throws { try transaction.lock(name) }
}
