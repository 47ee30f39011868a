import Foundation

/// A regular file mapped read-only into memory, unmapped when the last holder lets go.
///
/// Pages come in when touched and are shared with every other process that maps the file. A file that is cut
/// short by someone while it is mapped ends the process (SIGBUS), as with every program that maps files:
/// replace a model by renaming a new directory into place, never by writing into it.
final class MappedFile: Sendable {
    let byteCount: Int
    // Read-only memory that lives as long as this object: safe to share between threads.
    private nonisolated(unsafe) let base: UnsafeRawPointer

    /// - Throws: `POSIXError`; `.ENODATA` for an empty file, `.EFTYPE`-like `.EINVAL` for what is no regular file.
    init(path: String) throws {
        let (descriptor, byteCount) = try ModelFiles.open(path)
        defer { close(descriptor) }
        guard byteCount > 0 else { throw POSIXError(.ENODATA) }
        guard let base = mmap(nil, byteCount, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED else {
            throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
        }
        self.byteCount = byteCount
        self.base = UnsafeRawPointer(base)
    }

    deinit { munmap(UnsafeMutableRawPointer(mutating: base), byteCount) }

    /// All bytes; valid while this object is held.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: byteCount) }
}
