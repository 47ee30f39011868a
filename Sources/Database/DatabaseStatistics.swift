/// A snapshot of a database's counters (since it was opened) and of what is in use.
public struct DatabaseStatistics: Sendable, Hashable {
    /// Read transactions that ended, well or not.
    public var reads: Int = 0
    /// Write bodies that were committed.
    public var writes: Int = 0
    /// Reads and writes that failed.
    public var failures: Int = 0
    /// Commits; `writes / commits` is the mean group on SQLite.
    public var commits: Int = 0
    /// Most writes that one commit carried.
    public var groupMax: Int = 0
    /// Bodies that were run again.
    public var retries: Int = 0
    /// Connections opened again after a loss (PostgreSQL).
    public var reconnects: Int = 0
    /// Connections in use now, the writer of SQLite not counted.
    public var connectionsInUse: Int = 0
    /// Connections at most.
    public var connectionsMax: Int = 0
    /// Calls that wait now for a connection or for their turn to write.
    public var waiting: Int = 0

    public init() {}
}
