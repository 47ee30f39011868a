import Foundation

/// The right to write a data directory's index: an advisory lock on `DIR/index/indexer.lock`.
///
/// The system lets go of it when the process ends, however it ends. Its file names the holder while there is one; so a
/// name that a new holder finds is that of a process that died.
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

    /// The name of a holder that ended without `forget`; nil when there is none. It certainly is dead.
    var deadHolder: String? {
        var bytes = [UInt8](repeating: 0, count: Self.nameMax)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { return nil }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    /// Names the holder from now on. A name that cannot be written is only missing: leases then run out by themselves.
    func note(_ name: String) {
        let bytes = Array(name.utf8.prefix(Self.nameMax))
        guard ftruncate(descriptor, 0) == 0 else { return }
        _ = pwrite(descriptor, bytes, bytes.count, 0)
    }

    /// The holder lives on without the lock, or ends in order.
    func forget() { _ = ftruncate(descriptor, 0) }

    private static let nameMax = 128

    deinit { close(descriptor) }
}
