import Airtable
import Domain
import Foundation

/// The directory below which this server's user lets files be imported.
struct ImportRoot: Sendable {
    private let path: String

    init(_ path: String) { self.path = path }

    /// Copies a file of the directory, so that what is looked at and agreed to is what is imported.
    ///
    /// - Parameter name: relative to the directory, or whole.
    /// - Throws: `WritingError.fileRefused` for what lies outside once links are followed, and for what is no file; the same for
    ///   both, so that nothing is told of what else the disk has.
    func copy(_ name: String, ending: String, into spool: SpoolDirectory) throws -> SpooledFile {
        let place = try resolved(name)
        let descriptor = open(place, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Self.refused }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw Self.refused }
        let file = try spool.makeFile(ending: ending, byteLimit: Limits.importBytes)
        var buffer = [UInt8](repeating: 0, count: 256 * 1_024)
        while true {
            let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.refused }
            if count == 0 { return file }
            try file.write(buffer[..<count])
            try Task.checkCancellation()
        }
    }

    private func resolved(_ name: String) throws(WritingError) -> String {
        guard !name.utf8.contains(0), let root = Self.realPath(path) else { throw Self.refused }
        let wanted = name.hasPrefix("/") ? name : root + "/" + name
        guard let place = Self.realPath(wanted), place.hasPrefix(root == "/" ? "/" : root + "/") else {
            throw Self.refused
        }
        return place
    }

    private static func realPath(_ path: String) -> String? {
        guard let found = realpath(path, nil) else { return nil }
        defer { free(found) }
        return String(cString: found)
    }

    private static var refused: WritingError {
        WritingError(
            .fileRefused,
            "There is no such file below the directory that may be imported from.",
            hint: "name one relative to what --import-root says"
        )
    }
}
