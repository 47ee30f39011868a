import Access
import Database
package import Domain
import Synchronization

/// Makes indexes of the fields that filters ask for.
///
/// A list that could have used one says so; who asks a second time is taken at his word. Whoever serves calls `run`;
/// without it, as in a command, nothing is ever built, and lists go through the table. A build goes by short
/// transactions, resumes where a crash cut it, and writers keep what is built in step from its first moment on.
package final class FieldIndexKeeper: Sendable {
    struct Wish: Sendable, Hashable {
        let tenant: TenantID
        let table: TableID
        let field: FieldID
    }

    /// Rows of one step: some 10 ms of the write lock.
    private static let stepRows = Limits.internalPageRecords
    private static let asksMin = 2

    private let database: any SQLDatabase
    private let cache: SchemaCache
    private let asks = Mutex<[Wish: Int]>([:])
    private let signal = Wakeup()
    private let store = FieldIndexStore()
    private let schemas = SchemaStore()

    init(database: any SQLDatabase, cache: SchemaCache) {
        self.database = database
        self.cache = cache
    }

    /// Says that a list went through a table, where an index would have done.
    func want(_ wish: Wish) {
        let isWanted = asks.withLock { asks in
            if asks.count >= Limits.fieldIndexWishes, asks[wish] == nil { asks = [:] }
            asks[wish, default: 0] += 1
            return asks[wish] == Self.asksMin
        }
        if isWanted { signal.notify() }
    }

    /// Builds what is wanted, as it comes; ends by cancellation only.
    package func run(onFailure: @Sendable (any Error) -> Void) async throws {
        while true {
            let generation = signal.generation
            do { _ = try await buildWanted() } catch let error where !(error is CancellationError) { onFailure(error) }
            try Task.checkCancellation()
            await signal.wait(beyond: generation)
        }
    }

    /// Builds the index of one field, whether anybody asked or not.
    package func make(_ field: FieldID, in table: TableID, context: RequestContext) async throws {
        try context.require(.schemaWrite)
        _ = try await build(Wish(tenant: context.tenant, table: table, field: field))
    }

    /// Builds every index that was asked for often enough.
    ///
    /// - Returns: how many.
    package func buildWanted() async throws -> Int {
        let wishes = asks.withLock { asks in
            let wanted = asks.filter { $0.value >= Self.asksMin }.map(\.key)
            for wish in wanted { asks[wish] = nil }
            return wanted
        }
        var count = 0
        for wish in wishes where try await build(wish) { count += 1 }
        return count
    }

    /// - Returns: false when the field is gone, or its table has all the indexes that it may.
    private func build(_ wish: Wish) async throws -> Bool {
        let isBegun = try await locked(wish) { [store] transaction, model, field in
            let present = try store.indexes(ofTable: model.number, tenant: wish.tenant, in: transaction)
            if let index = present.first(where: { $0.ordinal == field.ordinal }) { return !index.isReady }
            guard present.count < Limits.fieldIndexesPerTable else { return false }
            try store.begin(field, of: model, tenant: wish.tenant, in: transaction)
            return true
        }
        guard isBegun == true else { return false }
        while true {
            try Task.checkCancellation()
            let isReady = try await locked(wish) { [store] transaction, model, field in
                let present = try store.indexes(ofTable: model.number, tenant: wish.tenant, in: transaction)
                guard let index = present.first(where: { $0.ordinal == field.ordinal }), !index.isReady else {
                    return true
                }
                return try store.build(index, of: model, rows: Self.stepRows, tenant: wish.tenant, in: transaction)
            }
            guard let isReady else { return false }
            if isReady { return true }
        }
    }

    /// Runs `body` as the tenant's only writer; nil when the field is gone.
    private func locked<T: Sendable>(
        _ wish: Wish,
        _ body: @escaping @Sendable (any Transaction, TableModel, Field) throws -> T
    ) async throws -> T? {
        try await database.write(of: .tenant(wish.tenant)) { [schemas, cache] transaction -> T? in
            _ = try schemas.lock(tenant: wish.tenant, in: transaction)
            let schema = try cache.schema(wish.tenant, in: transaction, keeps: false)
            guard let model = schema.table(wish.table), let field = model.field(id: wish.field) else { return nil }
            return try body(transaction, model, field)
        }
    }
}
