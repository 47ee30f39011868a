import Domain
import Foundation

/// The newest checkpoint of every chain in a file beside the database: who cuts off the end of the log in the database
/// does not get at it there.
///
/// Copy it away now and then: who can write to both can cut both back to an older checkpoint, and only a copy elsewhere
/// shows that.
package struct AuditCheckpointFile: Sendable {
    package let path: String

    package init(directory: String) { path = "\(directory)/audit/checkpoints.jsonl" }

    /// By chain; empty when there is no file. Lines that are no checkpoints are counted, not read.
    package func read() throws -> (checkpoints: [String: AuditCheckpoint], unreadable: Int) {
        guard FileManager.default.fileExists(atPath: path) else { return ([:], 0) }
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw AccessError(.corrupt, "The file \(path) cannot be read.")
        }
        var found: [String: AuditCheckpoint] = [:]
        var unreadable = 0
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            guard let checkpoint = AuditCheckpoint(line: Array(line)) else {
                unreadable += 1
                continue
            }
            if let other = found[checkpoint.chain], other.sequence > checkpoint.sequence { continue }
            found[checkpoint.chain] = checkpoint
        }
        return (found, unreadable)
    }

    /// Writes `checkpoints` over older ones of their chains; the file is replaced in one step, for its owner only.
    func write(_ checkpoints: [AuditCheckpoint]) throws {
        var all = try read().checkpoints
        for checkpoint in checkpoints {
            if let other = all[checkpoint.chain], other.sequence >= checkpoint.sequence { continue }
            all[checkpoint.chain] = checkpoint
        }
        let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        let temporary = "\(path).\(getpid()).\(UInt32.random(in: 0...UInt32.max))"
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw unwritable() }
        defer { unlink(temporary) }
        let bytes = all.sorted { $0.key < $1.key }.flatMap { $0.value.line }
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Foundation.write(file, $0.baseAddress, $0.count) }
            if count <= 0 { break }
            written += count
        }
        let isSynced = fsync(file) == 0
        close(file)
        guard written == bytes.count, isSynced, rename(temporary, path) == 0 else { throw unwritable() }
    }

    private func unwritable() -> AccessError {
        AccessError(.corrupt, "The file \(path) cannot be written: \(String(cString: strerror(errno))).")
    }
}
