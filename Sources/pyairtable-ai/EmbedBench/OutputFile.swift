import Foundation

/// Bytes on their way to standard output or to a file that appears whole or not at all.
///
/// A file is written under a temporary name beside its place and renamed by `finish`; one that is there keeps its
/// permissions, and a link keeps leading to it.
struct OutputFile: ~Copyable {
    private let descriptor: Int32
    private let path: String?
    private let temporary: String?
    private var buffer: [UInt8] = []

    /// - Parameter path: nil for standard output.
    /// - Throws: `EmbedInputError` `outputFailed`, also for a device or a pipe, which no file may replace.
    init(path: String?) throws {
        let target = path.map { URL(fileURLWithPath: $0).resolvingSymlinksInPath().path }
        let temporary = target.map { "\($0).partial-\(ProcessInfo.processInfo.processIdentifier)" }
        descriptor =
            if let target, let temporary { try Self.open(temporary, for: target) } else { STDOUT_FILENO }
        self.path = target
        self.temporary = temporary
    }

    private static func open(_ temporary: String, for target: String) throws -> Int32 {
        var status = stat()
        let isThere = stat(target, &status) == 0
        if isThere, status.st_mode & S_IFMT != S_IFREG {
            throw EmbedInputError(
                .outputFailed,
                "\(target) is no regular file",
                hint: "without --output the result goes to standard output"
            )
        }
        let mode = isThere ? status.st_mode & 0o7777 : 0o666
        let descriptor = Foundation.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure("making a file beside \(target)") }
        if isThere { fchmod(descriptor, mode) }
        return descriptor
    }

    deinit {
        guard let temporary else { return }
        close(descriptor)
        // Gone already when `finish` renamed it; else the work failed and nothing may stay.
        unlink(temporary)
    }

    mutating func write(_ bytes: some Sequence<UInt8>) throws {
        buffer.append(contentsOf: bytes)
        if buffer.count >= 1 << 18 { try flush() }
    }

    /// Writes `bytes` over the file's beginning and gives it its name; `bytes` must be empty for standard output.
    mutating func finish(beginning bytes: [UInt8] = []) throws {
        try flush()
        guard let path, let temporary else { return }
        if !bytes.isEmpty {
            guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw Self.failure("writing \(path)") }
            try put(bytes)
        }
        guard fsync(descriptor) == 0 else { throw Self.failure("writing \(path)") }
        guard rename(temporary, path) == 0 else { throw Self.failure("renaming the finished file to \(path)") }
    }

    private mutating func flush() throws {
        try put(buffer)
        buffer.removeAll(keepingCapacity: true)
    }

    private func put(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure("writing \(path ?? "standard output")") }
            rest = rest.dropFirst(count)
        }
    }

    /// What `errno` says.
    private static func failure(_ doing: String) -> EmbedInputError {
        EmbedInputError(.outputFailed, "\(doing) failed: \(String(cString: strerror(errno)))")
    }
}

/// The header of a `.npy` file, format 1.0: a float32 matrix in C order.
///
/// Always 128 bytes, so that it can be written again once the number of rows is known.
/// Format: numpy.org/doc/stable/reference/generated/numpy.lib.format.html.
enum NPYHeader {
    static func bytes(rows: Int, columns: Int) -> [UInt8] {
        var text = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(rows), \(columns)), }"
        text += String(repeating: " ", count: 128 - 10 - 1 - text.utf8.count) + "\n"
        return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.utf8.count), 0] + Array(text.utf8)
    }
}
