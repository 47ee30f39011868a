public import Domain
import Foundation
import Synchronization

/// The directory of files that live as long as one request: exports on their way out, uploads on their way in.
///
/// What is exported is read in one snapshot, at the speed of the disk, and then sent at the speed of the client; what is
/// imported is read twice. Neither is held in memory.
public final class SpoolDirectory: Sendable {
    private let path: String
    private let taken = Mutex(0)

    /// - Parameter path: made when the first file is; should lie on a disk, not in memory.
    public init(_ path: String) { self.path = path }

    /// Under the system's directory of temporary files, for a server without data of its own.
    public static let temporary = SpoolDirectory(FileManager.default.temporaryDirectory.path + "/pyairtable-spool")

    /// A new, empty file, which is removed with its last reference.
    ///
    /// - Parameters:
    ///   - ending: of its name, such as `csv`.
    ///   - byteLimit: what it may grow to.
    /// - Throws: `SpoolError` `.busy` when this process has `Limits.spooledFiles` already, `.unusable`.
    public func makeFile(ending: String = "part", byteLimit: Int64) throws(SpoolError) -> SpooledFile {
        let place = try SpoolPlace(self)
        do {
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch { throw .unusable("the directory \(path) can't be made: \(error)") }
        let name = "\(path)/\(ProcessInfo.processInfo.processIdentifier)-\(UUID().uuidString).\(ending)"
        let descriptor = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .unusable("\(name) can't be made: \(String(cString: strerror(errno)))") }
        return SpooledFile(path: name, descriptor: descriptor, byteLimit: byteLimit, place: place)
    }

    /// Removes files of processes that have ended without doing so.
    ///
    /// Harmless beside running ones: a file's name says whose it is.
    public func clear() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        for name in names {
            guard let owner = name.split(separator: "-").first.flatMap({ Int32($0) }),
                owner == ProcessInfo.processInfo.processIdentifier || (kill(owner, 0) != 0 && errno == ESRCH)
            else { continue }
            // What can't be removed now is tried again at the next start.
            try? FileManager.default.removeItem(atPath: "\(path)/\(name)")
        }
    }

    fileprivate func take() -> Bool {
        taken.withLock { count in
            guard count < Limits.spooledFiles else { return false }
            count += 1
            return true
        }
    }

    fileprivate func giveBack() { taken.withLock { $0 -= 1 } }
}

/// One of the files that a process may have at once.
final class SpoolPlace: Sendable {
    private let directory: SpoolDirectory

    fileprivate init(_ directory: SpoolDirectory) throws(SpoolError) {
        guard directory.take() else {
            throw SpoolError(.busy, "Too many exports and imports are under way.", detail: nil)
        }
        self.directory = directory
    }

    deinit { directory.giveBack() }
}

/// Why a file of a request could not be written or read.
public struct SpoolError: Failure, Equatable {
    public enum Code: String, Sendable, Hashable, CaseIterable {
        case busy = "TOO_MANY_FILES"
        case full = "DISK_FULL"
        case tooLarge = "FILE_TOO_LARGE"
        case unusable = "SPOOL_UNUSABLE"
    }

    public let code: Code
    public let message: String
    public let detail: String?

    public var kind: FailureKind {
        switch code {
        case .busy, .full: .busy
        case .tooLarge: .tooLarge
        case .unusable: .internal
        }
    }

    init(_ code: Code, _ message: String, detail: String?) {
        self.code = code
        self.message = message
        self.detail = detail
    }

    static func unusable(_ detail: String) -> Self {
        Self(.unusable, "A file could not be written or read.", detail: detail)
    }

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}
