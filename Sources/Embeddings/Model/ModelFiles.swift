import Domain
import Foundation

/// The files of a model's directory, read with bounds: they are untrusted.
struct ModelFiles: Sendable {
    let directory: String

    init(directory: String) throws {
        self.directory = directory
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: directory, isDirectory: &isDirectory) else {
            throw EmbeddingsError.modelMissing("there is no directory \(directory)")
        }
        guard isDirectory.boolValue else {
            throw EmbeddingsError.modelMissing("\(directory) is no directory")
        }
    }

    func path(_ name: String) -> String { directory + "/" + name }

    func contains(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

    /// The whole file.
    func bytes(_ name: String, limit: Int) throws -> [UInt8] {
        do {
            let (descriptor, byteCount) = try Self.open(path(name))
            defer { close(descriptor) }
            guard byteCount <= limit else {
                throw EmbeddingsError.modelDamaged(name, "it has \(byteCount) bytes, more than \(limit)")
            }
            return try Self.read(descriptor, byteCount: byteCount)
        } catch let error as POSIXError {
            throw Self.failure(name, error)
        }
    }

    /// A JSON file, whose root must be of the wanted kind (the caller looks).
    func json(_ name: String, limit: Int = Limits.jsonBytes) throws -> JSONValue {
        let limits = JSONLimits(bytes: limit, elements: 1 << 23)
        do {
            return try JSONValue(parsing: bytes(name, limit: limit), limits: limits)
        } catch let error as JSONError {
            throw EmbeddingsError.modelDamaged(name, error.message)
        }
    }

    func map(_ name: String) throws -> MappedFile {
        do {
            return try MappedFile(path: path(name))
        } catch let error as POSIXError {
            throw Self.failure(name, error)
        }
    }

    /// Opens a regular file for reading and tells its length. The caller closes the descriptor.
    static func open(_ path: String) throws -> (descriptor: Int32, byteCount: Int) {
        // O_NONBLOCK: opening a FIFO must not wait for a writer.
        let descriptor = Foundation.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw POSIXError(.EINVAL)
        }
        return (descriptor, Int(status.st_size))
    }

    private static func read(_ descriptor: Int32, byteCount: Int) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, filled in
            while filled < byteCount {
                let count = Foundation.read(descriptor, buffer.baseAddress! + filled, byteCount - filled)
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
                if count == 0 { break }
                filled += count
            }
        }
    }

    static func failure(_ name: String, _ error: POSIXError) -> EmbeddingsError {
        switch error.code {
        case .ENOENT, .ENOTDIR: .modelMissing("\(name) is not there")
        case .ENODATA: .modelDamaged(name, "it is empty")
        case .EINVAL, .EISDIR: .modelDamaged(name, "it is no regular file")
        case .EACCES, .EPERM: .modelMissing("\(name) may not be read")
        default: .modelDamaged(name, "it can't be read (\(error.code))")
        }
    }
}
