#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension MasterKey {
    /// The master key of a data directory.
    ///
    /// Taken from the environment when the caller found it there: the value itself, else the named file. Otherwise
    /// from `DIRECTORY/keys/master`, made at the first call: of processes starting at once, one makes it and all
    /// read the same. The file has mode 0600 and its directory 0700; a file or directory that others may read is
    /// refused with the command that mends it.
    ///
    /// - Throws: `masterKeyUnusable`, `masterKeyExposed`.
    public static func load(
        directory: String,
        environmentValue: Secret? = nil,
        environmentFile: String? = nil
    ) throws(AccessError) -> MasterKey {
        if let environmentValue { return try MasterKey(text: environmentValue, source: "the environment") }
        if let environmentFile {
            guard let key = try MasterKeyFile(path: environmentFile).read() else {
                throw AccessError(.masterKeyUnusable, "There is no master key file \(environmentFile).")
            }
            return key
        }
        return try MasterKeyFile.current(directory).readOrCreate()
    }
}

/// A file that holds one master key.
struct MasterKeyFile: Sendable {
    /// Longer than any form of a key: a wrong path is noticed without reading a large file.
    private static let byteCountMax = 1_024

    let path: String

    static func current(_ directory: String) -> Self { Self(path: "\(directory)/keys/master") }

    /// Where a rotation keeps the new key until everything is wrapped with it.
    static func next(_ directory: String) -> Self { Self(path: "\(directory)/keys/master.next") }

    private var parent: String { String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) }

    func readOrCreate() throws(AccessError) -> MasterKey {
        try makeDirectory()
        if let key = try read() { return key }
        try create()
        guard let key = try read() else { throw unusable("was just written and is gone") }
        return key
    }

    /// The key in the file; nil when there is no file.
    func read() throws(AccessError) -> MasterKey? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw unusable("cannot be opened: \(String(cString: strerror(errno)))")
        }
        defer { close(file) }
        // Asked of the open file, so that it cannot be exchanged in between.
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw unusable("is no plain file") }
        guard status.st_mode & 0o077 == 0 else { throw Self.exposed(path, fix: "chmod 600 '\(path)'") }
        var bytes = [UInt8](repeating: 0, count: Self.byteCountMax)
        let count = Glibc.read(file, &bytes, bytes.count)
        guard count >= 0 else { throw unusable("cannot be read: \(String(cString: strerror(errno)))") }
        return try MasterKey(text: Secret(bytes: Array(bytes.prefix(count))), source: path)
    }

    /// Writes a new random key unless the file exists. Whole or not at all, also through a loss of power: written
    /// under a temporary name and synced, then linked, which fails where a rename would replace somebody's key.
    private func create() throws(AccessError) {
        let temporary = "\(path).\(getpid()).\(UInt32.random(in: 0...UInt32.max))"
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw unusable("cannot be made: \(String(cString: strerror(errno)))") }
        defer { unlink(temporary) }
        let bytes = MasterKey.random().fileText
        let isWritten = write(file, bytes, bytes.count) == bytes.count && fsync(file) == 0
        let cause = errno
        close(file)
        guard isWritten else { throw unusable("cannot be written: \(String(cString: strerror(cause)))") }
        guard link(temporary, path) == 0 || errno == EEXIST else {
            throw unusable("cannot be made: \(String(cString: strerror(errno)))")
        }
        try syncDirectory()
    }

    /// Takes the place of `other`, in one step that a loss of power cannot split.
    func replace(_ other: MasterKeyFile) throws(AccessError) {
        guard rename(path, other.path) == 0 else {
            throw unusable("cannot be renamed: \(String(cString: strerror(errno)))")
        }
        try syncDirectory()
    }

    private func makeDirectory() throws(AccessError) {
        guard mkdir(parent, 0o700) == 0 || errno == EEXIST else {
            throw unusable("has no directory: \(String(cString: strerror(errno)))")
        }
        var status = stat()
        guard stat(parent, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { throw unusable("has no directory") }
        guard status.st_mode & 0o077 == 0 else { throw Self.exposed(parent, fix: "chmod 700 '\(parent)'") }
    }

    private func syncDirectory() throws(AccessError) {
        let directory = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw unusable("has no directory") }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw unusable("cannot be synced: \(String(cString: strerror(errno)))") }
    }

    private func unusable(_ what: String) -> AccessError {
        AccessError(.masterKeyUnusable, "The master key file \(path) \(what).")
    }

    private static func exposed(_ path: String, fix: String) -> AccessError {
        AccessError(.masterKeyExposed, "Others on this machine may read \(path).", hint: fix)
    }
}
