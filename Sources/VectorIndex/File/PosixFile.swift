#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// An open file; closed with its last reference. Reads and writes name their offset, so there is no cursor.
final class PosixFile {
    let path: String
    private let descriptor: Int32

    enum Mode {
        case read
        case readWrite
        /// Empties the file when it is there.
        case create
    }

    init(_ path: String, _ mode: Mode) throws(VectorIndexError) {
        let flags =
            switch mode {
            case .read: O_RDONLY
            case .readWrite: O_RDWR | O_CREAT
            case .create: O_RDWR | O_CREAT | O_TRUNC
            }
        let opened = retrying { open(path, flags | O_CLOEXEC, 0o600) }
        guard opened >= 0 else {
            if errno == ENOENT {
                throw VectorIndexError(.notFound, "there is no vector index here", detail: "no file \(path)")
            }
            throw .system("open", path)
        }
        descriptor = opened
        self.path = path
    }

    deinit { close(descriptor) }

    /// Takes the advisory lock of the file, until it is closed; false when another holds it.
    func lockExclusively() throws(VectorIndexError) -> Bool {
        if retrying({ flock(descriptor, LOCK_EX | LOCK_NB) }) == 0 { return true }
        if errno == EWOULDBLOCK { return false }
        throw .system("flock", path)
    }

    func byteCount() throws(VectorIndexError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system("fstat", path) }
        return Int(status.st_size)
    }

    /// Reads until the buffer is full.
    func read(_ buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(VectorIndexError) {
        var done = 0
        while done < buffer.count {
            let part = min(buffer.count - done, 1 << 30)
            let count = retrying { pread(descriptor, buffer.baseAddress! + done, part, off_t(offset + done)) }
            guard count >= 0 else { throw .system("pread", path) }
            guard count > 0 else { throw .corrupt("a file ends early", "\(path) at \(offset + done)") }
            done += count
        }
    }

    func read(_ count: Int, at offset: Int) throws(VectorIndexError) -> [UInt8] {
        var failure: VectorIndexError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            do throws(VectorIndexError) {
                try read(
                    UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count]),
                    at: offset
                )
                initialized = count
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    func write(_ buffer: UnsafeRawBufferPointer, at offset: Int) throws(VectorIndexError) {
        var done = 0
        while done < buffer.count {
            let part = min(buffer.count - done, 1 << 30)
            let count = retrying { pwrite(descriptor, buffer.baseAddress! + done, part, off_t(offset + done)) }
            guard count >= 0 else { throw .system("pwrite", path) }
            done += count
        }
    }

    func write(_ bytes: [UInt8], at offset: Int) throws(VectorIndexError) {
        try bytes.withUnsafeBufferPointer { (buffer) throws(VectorIndexError) in
            try write(UnsafeRawBufferPointer(buffer), at: offset)
        }
    }

    func truncate(to byteCount: Int) throws(VectorIndexError) {
        guard retrying({ ftruncate(descriptor, off_t(byteCount)) }) == 0 else { throw .system("ftruncate", path) }
    }

    /// Data and whatever is needed to read it again reach the disk.
    func syncData() throws(VectorIndexError) {
        #if os(Linux)
            guard retrying({ fdatasync(descriptor) }) == 0 else { throw .system("fdatasync", path) }
        #else
            try sync()
        #endif
    }

    func sync() throws(VectorIndexError) {
        guard retrying({ fsync(descriptor) }) == 0 else { throw .system("fsync", path) }
    }

    /// Maps the whole file; changes to the memory stay private.
    func map(_ byteCount: Int) throws(VectorIndexError) -> FileMapping {
        guard byteCount > 0,
            let start = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, descriptor, 0),
            start != MAP_FAILED
        else { throw .system("mmap", path) }
        return FileMapping(start: start, byteCount: byteCount)
    }
}

/// A mapped file, unmapped with its last reference; stays readable when the file is removed.
final class FileMapping {
    let start: UnsafeMutableRawPointer
    let byteCount: Int

    init(start: UnsafeMutableRawPointer, byteCount: Int) {
        self.start = start
        self.byteCount = byteCount
    }

    deinit { munmap(start, byteCount) }

    /// Says that the pages will be read from first to last soon.
    func willReadInOrder() { madvise(start, byteCount, MADV_WILLNEED) }
}

private func retrying<T: SignedInteger>(_ call: () -> T) -> T {
    while true {
        let result = call()
        if result != -1 || errno != EINTR { return result }
    }
}

extension VectorIndexError {
    static func system(_ call: String, _ path: String) -> Self {
        let number = errno
        let words = strerror(number).map { String(cString: $0) } ?? "error \(number)"
        return Self(
            .inputOutput,
            "a file of the vector index can't be used: \(words)",
            detail: "\(call) of \(path): \(words)"
        )
    }
}
