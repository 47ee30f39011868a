import GRDB
import Synchronization

/// The connections that read, each lent to one call at a time; opened when none is left, so there are as many as calls have
/// ever been at once.
///
/// GRDB opens and closes them. To lend one costs a lock, where GRDB's own pool passes three dispatch queues and asks whether the
/// schema has changed, which takes longer than a small query (some 20 µs).
final class SQLiteReaders: Sendable {
    struct Reader: Sendable {
        fileprivate let queue: DatabaseQueue
        let connection: SQLiteConnection
    }

    private let idle = Mutex<[Reader]>([])
    private let path: String
    private let configuration: Configuration
    private let connections: SQLiteConnections

    /// - Parameter configuration: for any connection of the file; it adopts those that only read.
    init(path: String, _ configuration: Configuration, _ connections: SQLiteConnections) {
        self.path = path
        self.configuration = {
            var configuration = configuration
            configuration.readonly = true
            configuration.allowsUnsafeTransactions = true
            return configuration
        }()
        self.connections = connections
    }

    /// A connection, for the caller alone until it is given back. Blocks while one is opened.
    ///
    /// - Throws: GRDB's errors of opening.
    func take() throws -> Reader {
        if let reader = idle.withLock({ $0.popLast() }) { return reader }
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        return Reader(queue: queue, connection: queue.inDatabase { connections.of($0) })
    }

    func giveBack(_ reader: Reader) { idle.withLock { $0.append(reader) } }

    /// Closes all, when none is lent and their statements are forgotten; none may be taken from then on.
    func close() {
        let readers = idle.withLock { idle in
            defer { idle = [] }
            return idle
        }
        // One that can't be closed now is closed when it goes away.
        for reader in readers { try? reader.queue.close() }
    }
}
