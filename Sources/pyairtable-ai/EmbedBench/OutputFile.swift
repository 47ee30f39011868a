import Foundation

/// Bytes on their way to standard output or to a file that appears whole or not at all.
///
/// A file is written under a temporary name beside its place and renamed by `finish`.
struct OutputFile: ~Copyable {
    private let handle: FileHandle
    private let path: String?
    private let temporary: String?
    private var buffer = Data()

    /// - Parameter path: nil for standard output.
    init(path: String?) throws {
        self.path = path
        guard let path else {
            handle = .standardOutput
            temporary = nil
            return
        }
        let temporary = "\(path).partial-\(ProcessInfo.processInfo.processIdentifier)"
        guard FileManager.default.createFile(atPath: temporary, contents: nil),
            let handle = FileHandle(forWritingAtPath: temporary)
        else {
            throw EmbedInputError(.outputFailed, "can't write \(path)")
        }
        self.handle = handle
        self.temporary = temporary
    }

    deinit {
        // Gone already when `finish` renamed it; else the work failed and nothing may stay.
        if let temporary { unlink(temporary) }
    }

    mutating func write(_ bytes: some Sequence<UInt8>) throws {
        buffer.append(contentsOf: bytes)
        if buffer.count >= 1 << 18 { try flush() }
    }

    /// Writes `bytes` over the file's beginning and gives it its name; `bytes` must be empty for standard output.
    mutating func finish(beginning bytes: [UInt8] = []) throws {
        try flush()
        guard let path, let temporary else { return }
        do {
            if !bytes.isEmpty {
                try handle.seek(toOffset: 0)
                try handle.write(contentsOf: bytes)
            }
            try handle.synchronize()
            try handle.close()
        } catch {
            throw EmbedInputError(.outputFailed, "writing \(path) failed: \(error.localizedDescription)")
        }
        guard rename(temporary, path) == 0 else {
            throw EmbedInputError(.outputFailed, "can't rename the finished file to \(path)")
        }
    }

    private mutating func flush() throws {
        do {
            try handle.write(contentsOf: buffer)
        } catch {
            let place = path ?? "standard output"
            throw EmbedInputError(.outputFailed, "writing \(place) failed: \(error.localizedDescription)")
        }
        buffer.removeAll(keepingCapacity: true)
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
