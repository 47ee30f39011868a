import Airtable
import Foundation

/// Files of a backup: copied with their digest, and synced.
enum BackupFiles {
    private static let pieceBytes = 1 << 20

    /// Copies a file and gives what a manifest says of it; nil when there is none at `source`.
    ///
    /// - Parameter path: its name in the manifest.
    static func copy(_ source: String, to target: String, as path: String) throws -> BackupManifest.File? {
        guard let input = FileHandle(forReadingAtPath: source) else { return nil }
        defer { try? input.close() }
        try makeDirectory(URL(fileURLWithPath: target).deletingLastPathComponent().path)
        let file = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure(target) }
        let output = FileHandle(fileDescriptor: file, closeOnDealloc: true)
        var digest = ContentHash.Builder()
        var count: Int64 = 0
        while let data = try input.read(upToCount: pieceBytes), !data.isEmpty {
            try Task.checkCancellation()
            digest.add([UInt8](data))
            count += Int64(data.count)
            try output.write(contentsOf: data)
        }
        try output.synchronize()
        try output.close()
        return BackupManifest.File(path: path, byteCount: count, digest: digest.finish().description)
    }

    /// What a manifest says of a file that is there already.
    static func describe(_ file: String, as path: String) throws -> BackupManifest.File {
        guard let input = FileHandle(forReadingAtPath: file) else { throw failure(file) }
        defer { try? input.close() }
        var digest = ContentHash.Builder()
        var count: Int64 = 0
        while let data = try input.read(upToCount: pieceBytes), !data.isEmpty {
            try Task.checkCancellation()
            digest.add([UInt8](data))
            count += Int64(data.count)
        }
        return BackupManifest.File(path: path, byteCount: count, digest: digest.finish().description)
    }

    static func makeDirectory(_ path: String) throws {
        try FileManager.default.createDirectory(
            atPath: path,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
    }

    /// Puts `directory` in its final place, in one step, and syncs the name. An empty directory may be there.
    static func publish(_ directory: String, as target: String) throws {
        try sync(directory)
        guard rename(directory, target) == 0 else { throw failure(target) }
        try sync(URL(fileURLWithPath: target).deletingLastPathComponent().path)
    }

    static func sync(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure(path) }
    }

    /// Whether nothing is there: no such directory, or an empty one.
    static func isFree(_ path: String) -> Bool {
        guard FileManager.default.fileExists(atPath: path) else { return true }
        // What is no directory has no contents, and is not free.
        return (try? FileManager.default.contentsOfDirectory(atPath: path).isEmpty) ?? false
    }

    /// Paths of all files below `directory`, relative to it, without those that are still being written.
    static func files(below directory: String) -> [String] {
        guard let walk = FileManager.default.enumerator(atPath: directory) else { return [] }
        var found: [String] = []
        while let path = walk.nextObject() as? String {
            if path.hasPrefix(".") { continue }
            if walk.fileAttributes?[.type] as? FileAttributeType == .typeRegular { found.append(path) }
        }
        return found.sorted()
    }

    private static func failure(_ path: String) -> BackupError {
        BackupError(
            code: .toolFailed,
            message: "\(path): \(String(cString: strerror(errno)))",
            hint: "check that its directory is there, is yours and has room"
        )
    }
}
