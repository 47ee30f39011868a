import Domain
import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The bytes of attachments on disk: a file for each content of a tenant, named by its hash.
///
/// ```
/// attachments/.incoming/RANDOM          being written
/// attachments/TENANT/ab/abcdef…         whole: the first two digits of its hash, then all of them
/// ```
///
/// A file under its hash is whole and on disk: it is written under another name, synced, and linked into place.
/// Tenants share none, so that nobody learns by a fast upload what another tenant has. What is kept and what may go
/// is `AttachmentStore`'s business.
struct AttachmentFiles: Sendable {
    let directory: String

    /// - Parameter directory: made when something is first written.
    init(directory: String) { self.directory = directory }

    func path(_ hash: ContentHash, tenant: TenantID) -> String {
        "\(folder(hash, tenant))/\(hash)"
    }

    private func folder(_ hash: ContentHash, _ tenant: TenantID) -> String {
        "\(directory)/\(tenant)/\(hash.description.prefix(2))"
    }

    private var incoming: String { "\(directory)/.incoming" }

    // MARK: Writing

    /// A new file to write to.
    func begin() throws -> AttachmentDraft {
        try makeDirectory(incoming)
        let name = UInt64.random(in: .min ... .max)
        return try AttachmentDraft(path: "\(incoming)/\(String(name, radix: 16))")
    }

    /// Puts a whole file in its place, where the same one may lie already; both it and its name are on disk then.
    func install(_ file: StagedFile, tenant: TenantID) throws {
        try sync(file.path)
        let folder = folder(file.hash, tenant)
        try makeDirectory(folder)
        try link(file, to: "\(folder)/\(file.hash)")
        for changed in [folder, "\(directory)/\(tenant)", directory] { try sync(changed) }
    }

    /// Puts it there again, should it have been removed since `install` because nothing named it. For the transaction
    /// that will name it.
    func keep(_ file: StagedFile, tenant: TenantID) throws {
        let path = path(file.hash, tenant: tenant)
        if access(path, F_OK) == 0 { return }
        try link(file, to: path)
        try sync(folder(file.hash, tenant))
    }

    private func link(_ file: StagedFile, to path: String) throws {
        // The same bytes: what is there already is as good.
        guard Self.retrying({ linkFile(file.path, path) }) == 0 || errno == EEXIST else { throw Self.failure("link") }
    }

    // MARK: Reading and removing

    /// - Returns: nil when there is no such file.
    func open(_ hash: ContentHash, tenant: TenantID) throws -> AttachmentReader? {
        let descriptor = Self.retrying { openFile(path(hash, tenant: tenant), O_RDONLY | O_CLOEXEC, 0) }
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw Self.failure("open")
        }
        return AttachmentReader(descriptor: descriptor)
    }

    /// Removes the file; one that is not there is no error.
    func remove(_ hash: ContentHash, tenant: TenantID) throws {
        guard unlink(path(hash, tenant: tenant)) == 0 || errno == ENOENT else { throw Self.failure("unlink") }
    }

    /// Removes what writers that were interrupted left, more than a day ago.
    func removeAbandoned(now: Instant) throws {
        for name in try names(in: incoming) {
            let path = "\(incoming)/\(name)"
            if let changed = Self.changeTime(path), now.microseconds - changed.microseconds > Self.day { unlink(path) }
        }
    }

    /// The files of a tenant that have lain there for more than a day: a younger one may be about to be named.
    func settled(tenant: TenantID, now: Instant) throws -> [ContentHash] {
        var found: [ContentHash] = []
        for folder in try names(in: "\(directory)/\(tenant)") {
            for name in try names(in: "\(directory)/\(tenant)/\(folder)") {
                guard let hash = ContentHash(name),
                    let changed = Self.changeTime(path(hash, tenant: tenant)),
                    now.microseconds - changed.microseconds > Self.day
                else { continue }
                found.append(hash)
            }
        }
        return found
    }

    // MARK: System calls

    private static let day: Int64 = 86_400_000_000

    private func names(in directory: String) throws -> [String] {
        guard FileManager.default.fileExists(atPath: directory) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: directory)
    }

    private func makeDirectory(_ path: String) throws {
        if access(path, F_OK) == 0 { return }
        try FileManager.default.createDirectory(
            atPath: path,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
    }

    /// What is written to the file, or the names in a directory, is on disk when this returns.
    private func sync(_ path: String) throws {
        let descriptor = Self.retrying { openFile(path, O_RDONLY | O_CLOEXEC, 0) }
        guard descriptor >= 0 else { throw Self.failure("open") }
        defer { close(descriptor) }
        guard Self.retrying({ fsync(descriptor) }) == 0 else { throw Self.failure("fsync") }
    }

    private static func changeTime(_ path: String) -> Instant? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        return Instant(
            microseconds: Int64(status.st_ctim.tv_sec) * 1_000_000 + Int64(status.st_ctim.tv_nsec) / 1_000
        )
    }

    static func retrying<T: SignedInteger>(_ call: () -> T) -> T {
        while true {
            let result = call()
            if result != -1 || errno != EINTR { return result }
        }
    }

    /// - Parameter call: what failed, with its reason in `errno`.
    static func failure(_ call: String) -> AirtableError {
        let code = errno
        return AirtableError(
            .storageFailed,
            code == ENOSPC
                ? "There is no room on the disk for attachments." : "An attachment could not be stored or read.",
            hint: "see that data/attachments can be written and the disk has room",
            detail: "\(call): \(String(cString: strerror(code)))"
        )
    }
}

/// Inside `AttachmentFiles` the system's calls would be hidden by methods of the same names.
private func openFile(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 { open(path, flags, mode) }
private func linkFile(_ path: String, _ other: String) -> Int32 { link(path, other) }

/// A file being written. Removed unless it is finished; one task writes it.
final class AttachmentDraft {
    private let path: String
    private let descriptor: Int32
    private var hash = ContentHash.Builder()
    private var isFinished = false
    private(set) var size: Int64 = 0
    /// The first `Limits.attachmentHeadBytes`.
    private var head: [UInt8] = []

    fileprivate init(path: String) throws {
        descriptor = AttachmentFiles.retrying { openFile(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600) }
        guard descriptor >= 0 else { throw AttachmentFiles.failure("open") }
        self.path = path
    }

    deinit {
        close(descriptor)
        if !isFinished { unlink(path) }
    }

    func write(_ bytes: [UInt8]) throws {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                AttachmentFiles.retrying {
                    Foundation.write(descriptor, buffer.baseAddress! + done, bytes.count - done)
                }
            }
            guard count > 0 else { throw AttachmentFiles.failure("write") }
            done += count
        }
        hash.add(bytes)
        size += Int64(bytes.count)
        if head.count < Limits.attachmentHeadBytes { head += bytes.prefix(Limits.attachmentHeadBytes - head.count) }
    }

    /// The file as it is now. Nothing more may be written.
    func finish() -> StagedFile {
        isFinished = true
        return StagedFile(path: path, hash: hash.finish(), size: size, head: head)
    }
}

/// A whole file under a temporary name, which goes with the last reference at the latest; what was linked elsewhere
/// stays.
final class StagedFile: Sendable {
    let path: String
    let hash: ContentHash
    let size: Int64
    /// Its first bytes.
    let head: [UInt8]

    fileprivate init(path: String, hash: ContentHash, size: Int64, head: [UInt8]) {
        self.path = path
        self.hash = hash
        self.size = size
        self.head = head
    }

    /// Removes the temporary name now, whoever still holds this.
    func discard() { unlink(path) }

    deinit { unlink(path) }
}

/// An open file; it can be read to its end even if it is removed meanwhile.
public final class AttachmentReader: Sendable {
    private let descriptor: Int32

    fileprivate init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    func byteCount() throws -> Int64 {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw AttachmentFiles.failure("fstat") }
        return Int64(status.st_size)
    }

    /// Bytes from `offset` on: up to `count`, fewer only at the end. Blocks for as long as the disk does.
    public func read(_ count: Int, at offset: Int64) throws -> [UInt8] {
        var done = 0
        var failed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            while done < count {
                let read = AttachmentFiles.retrying {
                    pread(descriptor, buffer.baseAddress! + done, count - done, off_t(offset) + off_t(done))
                }
                if read < 0 { failed = true }
                if read <= 0 { break }
                done += read
            }
            initialized = done
        }
        if failed { throw AttachmentFiles.failure("pread") }
        return bytes
    }
}
