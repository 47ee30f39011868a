import Domain
import Foundation

/// The bytes of a file, in blocks of 256 KiB: memory stays flat whatever the file's size.
struct ByteSource: ~Copyable {
    static let blockBytes = 256 * 1_024

    let path: String
    /// From `stat`; 0 for a pipe.
    let byteCount: Int64
    /// How far reading has come, for progress.
    private(set) var consumed: Int64 = 0

    private let descriptor: Int32
    private var block: [UInt8] = []
    private var position = 0

    init(path: String) throws(ImportError) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { throw .missing(path) }
            throw .unreadable(path, reason: String(cString: strerror(errno)))
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT != S_IFDIR else {
            close(descriptor)
            throw .unreadable(path, reason: "not a file")
        }
        self.path = path
        byteCount = Int64(status.st_size)
        skipByteOrderMark()
    }

    /// - Throws: when the file begins as UTF-16 does.
    func checkEncoding() throws(ImportError) {
        if block.starts(with: [0xFF, 0xFE]) || block.starts(with: [0xFE, 0xFF]) {
            throw .malformedFile(path, "it is UTF-16 text; save it as UTF-8")
        }
    }

    deinit { close(descriptor) }

    /// The next byte without taking it; nil at the end.
    mutating func peek() throws(ImportError) -> UInt8? {
        if position == block.count {
            guard try fill() else { return nil }
        }
        return block[position]
    }

    mutating func next() throws(ImportError) -> UInt8? {
        guard let byte = try peek() else { return nil }
        position += 1
        return byte
    }

    /// Takes bytes up to the first one for which `stops` holds, or the end, and appends them to `buffer`; stops soon
    /// after `Limits.jsonBytes`, so that a file without any such byte takes no memory. The caller looks.
    mutating func take(into buffer: inout [UInt8], until stops: (UInt8) -> Bool) throws(ImportError) {
        while true {
            if position == block.count {
                guard try fill() else { return }
            }
            let start = position
            block.withUnsafeBufferPointer { bytes in
                while position < bytes.count, !stops(bytes[position]) { position += 1 }
            }
            buffer.append(contentsOf: block[start..<position])
            if position < block.count || buffer.count > Limits.jsonBytes { return }
        }
    }

    private mutating func fill() throws(ImportError) -> Bool {
        let descriptor = descriptor
        var failure: Int32 = 0
        block = [UInt8](unsafeUninitializedCapacity: Self.blockBytes) { buffer, count in
            var got = read(descriptor, buffer.baseAddress, buffer.count)
            while got < 0, errno == EINTR { got = read(descriptor, buffer.baseAddress, buffer.count) }
            if got < 0 { failure = errno }
            count = max(0, got)
        }
        position = 0
        consumed += Int64(block.count)
        if failure != 0 { throw .unreadable(path, reason: String(cString: strerror(failure))) }
        return !block.isEmpty
    }

    private mutating func skipByteOrderMark() {
        // Ignored here: a file that can't be read fails at the first row, with its path.
        guard (try? fill()) == true else { return }
        if block.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }
}
