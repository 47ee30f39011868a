#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The files of an index in its directory, and the order in which they change.
///
/// `CURRENT` names a generation: `checkpoint-N`, the whole index at one moment, never changed afterwards,
/// and `tail-N`, what changed since, only ever appended to. A new generation is written beside the old
/// one under a temporary name, synced and renamed; then `CURRENT` is replaced in the same way; then the old
/// generation is removed. Whoever reads at any moment, also after a crash, finds one complete generation.
/// `lock` is held by the one writer.
struct IndexDirectory: Sendable {
    let path: String
    /// Called after each step on the way to a new generation; for tests that crash there.
    var afterStep: (@Sendable (FileStep) -> Void)?

    init(_ path: String, afterStep: (@Sendable (FileStep) -> Void)? = nil) {
        self.path = path
        self.afterStep = afterStep
    }

    private var currentPath: String { "\(path)/CURRENT" }
    func checkpointPath(_ generation: UInt64) -> String { "\(path)/checkpoint-\(generation)" }
    func tailPath(_ generation: UInt64) -> String { "\(path)/tail-\(generation)" }
    var lockPath: String { "\(path)/lock" }

    /// Makes the directory and those above it.
    func create() throws(VectorIndexError) {
        var partial = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            partial += "/\(part)"
            if mkdir(partial, 0o700) != 0 && errno != EEXIST && errno != EISDIR { throw .system("mkdir", partial) }
        }
    }

    /// What tells one `CURRENT` from the next without reading it.
    struct Stamp: Equatable {
        let inode: UInt64
        let seconds: Int
        let nanoseconds: Int
    }

    func currentStamp() throws(VectorIndexError) -> Stamp {
        var status = stat()
        guard stat(currentPath, &status) == 0 else {
            if errno == ENOENT { throw VectorIndexError(.notFound, "there is no vector index here", detail: path) }
            throw .system("stat", currentPath)
        }
        #if os(Linux)
            let time = status.st_mtim
        #else
            let time = status.st_mtimespec
        #endif
        return Stamp(inode: UInt64(status.st_ino), seconds: time.tv_sec, nanoseconds: time.tv_nsec)
    }

    private static func currentText(_ generation: UInt64) -> String {
        let text = "vector-index 1\ngeneration \(generation)\n"
        return text + "crc32c \(Checksum.of(text.utf8))\n"
    }

    /// The generation in force.
    func currentGeneration() throws(VectorIndexError) -> UInt64 {
        let file = try PosixFile(currentPath, .read)
        let count = try file.byteCount()
        guard count <= 256 else { throw .corrupt("CURRENT is too long", "\(count) bytes") }
        let text = String(decoding: try file.read(count, at: 0), as: UTF8.self)
        let lines = text.split(separator: "\n")
        guard lines.count == 3, lines[1].hasPrefix("generation "),
            let generation = UInt64(lines[1].dropFirst("generation ".count)), Self.currentText(generation) == text
        else { throw .corrupt("CURRENT does not name a generation", "\(count) bytes") }
        return generation
    }

    /// Makes `generation` the one in force. Its files must be complete and synced.
    func setCurrent(_ generation: UInt64) throws(VectorIndexError) {
        try syncDirectory()
        afterStep?(.generationWritten)
        try replace(currentPath) { (file) throws(VectorIndexError) in
            try file.write(Array(Self.currentText(generation).utf8), at: 0)
        }
        afterStep?(.currentReplaced)
    }

    /// Writes a file under a temporary name, syncs it, and gives it its name.
    func replace(_ name: String, _ write: (PosixFile) throws(VectorIndexError) -> Void) throws(VectorIndexError) {
        let temporary = name + ".tmp"
        let file = try PosixFile(temporary, .create)
        try write(file)
        try file.sync()
        afterStep?(.temporaryWritten)
        try rename(temporary, name)
    }

    /// Gives a synced file another name, durably.
    func rename(_ old: String, _ new: String) throws(VectorIndexError) {
        #if canImport(Glibc)
            let code = Glibc.rename(old, new)
        #else
            let code = Darwin.rename(old, new)
        #endif
        guard code == 0 else { throw .system("rename", old) }
        try syncDirectory()
    }

    /// Removes what is neither in force nor the lock: older generations and remains of a crash.
    func removeOthers(than generation: UInt64) throws(VectorIndexError) {
        guard let directory = opendir(path) else { throw .system("opendir", path) }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            let isOurs = name.hasPrefix("checkpoint-") || name.hasPrefix("tail-") || name == "CURRENT.tmp"
            if isOurs && name != "checkpoint-\(generation)" && name != "tail-\(generation)" { names.append(name) }
        }
        for name in names where unlink("\(path)/\(name)") != 0 && errno != ENOENT {
            throw .system("unlink", "\(path)/\(name)")
        }
        afterStep?(.othersRemoved)
    }

    private func syncDirectory() throws(VectorIndexError) { try PosixFile(path, .read).sync() }
}

/// Moments between two changes of the files.
package enum FileStep: String, Sendable, CaseIterable {
    case temporaryWritten, generationWritten, currentReplaced, othersRemoved, frameWritten
}
