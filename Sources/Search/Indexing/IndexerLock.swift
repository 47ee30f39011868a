import Foundation

/// The right to write a data directory's index: an advisory lock on `DIR/index/indexer.lock`.
///
/// The system lets go of it when the process ends, however it ends.
final class IndexerLock: Sendable {
    private let descriptor: Int32

    /// Nil when another process has it.
    static func take(in directory: String) throws -> IndexerLock? {
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        let path = "\(directory)/indexer.lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw SearchError(
                .indexerElsewhere,
                "The index directory cannot be written.",
                detail: "\(path): errno \(errno)"
            )
        }
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return IndexerLock(descriptor) }
        let code = errno
        close(descriptor)
        guard code == EWOULDBLOCK || code == EINTR else {
            throw SearchError(
                .indexerElsewhere,
                "The index directory cannot be locked.",
                detail: "\(path): errno \(code)"
            )
        }
        return nil
    }

    private init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }
}
