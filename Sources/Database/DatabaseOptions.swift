/// How a database is opened. The defaults suit a server; tests make some smaller.
public struct DatabaseOptions: Sendable {
    /// PostgreSQL: connections at most. SQLite: concurrent readers, beside the one writer.
    /// Eight keep a few cores busy; PostgreSQL allows 100 in all by default, for all replicas.
    public var connectionsMax = 8
    /// Calls that may wait for a connection, and as many for their turn to write; more are refused as busy.
    /// A queue this long is already about a second at the speed of a slow disk.
    public var waitersMax = 1_024
    /// How long a call without a deadline waits for a connection or a lock.
    public var waitMax: Duration = .seconds(60)
    /// How long a glance may hold up the thread of whoever asks (SQLite): a few rows take some 10 µs, and a task that
    /// computes holds its thread as long.
    public var glanceMax: Duration = .milliseconds(2)
    /// Writes gathered into one commit at most (SQLite): bounds how long the first waits for the last.
    public var groupMax = 256
    /// After this long no more writes join a commit (SQLite), so that the first doesn't wait for a stream of others.
    public var groupDuration: Duration = .milliseconds(20)
    /// Prepared statements kept per connection; the product has about a hundred different ones.
    public var statementsMax = 256
    /// When PostgreSQL stops a statement that has no deadline; a backstop, an import's longest is far below.
    public var statementMax: Duration = .seconds(3_600)
    /// How often a body is run again after a serialization failure or a lost connection.
    public var retriesMax = 12

    public init() {}
}
