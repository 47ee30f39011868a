/// An array as NumPy's `.npy` files hold it: C order, little-endian.
public struct NPYArray: Sendable, Equatable {
    public enum Values: Sendable, Equatable {
        case float32([Float])
        case int32([Int32])
        case int64([Int64])

        public var count: Int {
            switch self {
            case .float32(let values): values.count
            case .int32(let values): values.count
            case .int64(let values): values.count
            }
        }

        fileprivate var descriptor: String {
            switch self {
            case .float32: "<f4"
            case .int32: "<i4"
            case .int64: "<i8"
            }
        }
    }

    /// Lengths of the axes, outermost first; their product is the number of values.
    public let shape: [Int]
    public let values: Values

    /// - Precondition: as many values as the shape says.
    public init(shape: [Int], values: Values) {
        precondition(shape.reduce(1, *) == values.count, "\(values.count) values do not fill \(shape)")
        self.shape = shape
        self.values = values
    }
}

/// Reads and writes `.npy` files, versions 1 and 2 of the format, of float32, int32 and int64.
public enum NPYFile {
    fileprivate static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
    private static let headerBytesMax = 1 << 16

    /// - Throws: `notFound`, `corrupt` when it is no such file or its size does not fit its shape, `inputOutput`.
    public static func read(_ path: String) throws(VectorIndexError) -> NPYArray {
        let file = try PosixFile(path, .read)
        let byteCount = try file.byteCount()
        guard byteCount >= 12 else { throw damaged(path, "too short") }
        let start = try file.read(12, at: 0)
        guard Array(start[..<6]) == magic, start[6] == 1 || start[6] == 2 else {
            throw damaged(path, "not an npy file")
        }
        let lengthBytes = start[6] == 1 ? 2 : 4
        let length = (0..<lengthBytes).reduce(0) { $0 | Int(start[8 + $1]) << (8 * $1) }
        let offset = 8 + lengthBytes + length
        guard length <= headerBytesMax, offset <= byteCount else { throw damaged(path, "header too long") }
        let text = String(decoding: try file.read(length, at: 8 + lengthBytes), as: UTF8.self)
        guard let header = Header(text) else { throw damaged(path, "header \(text.prefix(200))") }
        let rest = byteCount - offset
        guard let count = header.count,
            let size = [("<f4", 4), ("<i4", 4), ("<i8", 8)].first(where: { $0.0 == header.descriptor })?.1
        else { throw damaged(path, "only C-order <f4, <i4 and <i8 are read, this is \(header.descriptor)") }
        guard count <= rest / size, count * size == rest else {
            throw damaged(path, "\(rest) bytes for \(count) values")
        }
        let values: NPYArray.Values =
            switch header.descriptor {
            case "<f4": .float32(try numbers(file, count, offset, Float.zero))
            case "<i4": .int32(try numbers(file, count, offset, Int32.zero))
            default: .int64(try numbers(file, count, offset, Int64.zero))
            }
        return NPYArray(shape: header.shape, values: values)
    }

    private static func numbers<T>(
        _ file: PosixFile,
        _ count: Int,
        _ offset: Int,
        _ zero: T
    ) throws(VectorIndexError) -> [T] {
        var values = [T](repeating: zero, count: count)
        try values.withUnsafeMutableBufferPointer { (buffer) throws(VectorIndexError) in
            try file.read(UnsafeMutableRawBufferPointer(buffer), at: offset)
        }
        return values
    }

    /// Writes under a temporary name, then gives the file its name.
    public static func write(_ array: NPYArray, to path: String) throws(VectorIndexError) {
        let directory = IndexDirectory(parent(of: path))
        try directory.replace(path) { (file) throws(VectorIndexError) in
            let header = header(array.values.descriptor, array.shape)
            try file.write(header, at: 0)
            switch array.values {
            case .float32(let values): try write(values, file, header.count)
            case .int32(let values): try write(values, file, header.count)
            case .int64(let values): try write(values, file, header.count)
            }
        }
    }

    private static func write<T>(_ values: [T], _ file: PosixFile, _ offset: Int) throws(VectorIndexError) {
        try values.withUnsafeBufferPointer { (buffer) throws(VectorIndexError) in
            try file.write(UnsafeRawBufferPointer(buffer), at: offset)
        }
    }

    fileprivate static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The bytes before the values: 128, whatever the shape.
    fileprivate static func header(_ descriptor: String, _ shape: [Int]) -> [UInt8] {
        let axes = shape.count == 1 ? "\(shape[0])," : shape.map(String.init).joined(separator: ", ")
        var text = "{'descr': '\(descriptor)', 'fortran_order': False, 'shape': (\(axes)), }"
        let length = (10 + text.utf8.count + 1 + 127) / 128 * 128 - 10
        text += String(repeating: " ", count: length - 1 - text.utf8.count) + "\n"
        return magic + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)] + Array(text.utf8)
    }

    fileprivate static func damaged(_ path: String, _ what: String) -> VectorIndexError {
        VectorIndexError(.corrupt, "not a usable .npy file: \(what)", detail: path)
    }

    /// The Python dictionary of a header, as far as NumPy writes it.
    private struct Header {
        let descriptor: String
        let shape: [Int]

        init?(_ text: String) {
            func value(_ key: String) -> Substring? {
                guard let found = text.firstRange(of: "'\(key)':") else { return nil }
                return text[found.upperBound...].drop { $0 == " " }
            }
            guard let quoted = value("descr"), let quote = quoted.first, quote == "'",
                let end = quoted.dropFirst().firstIndex(of: quote),
                value("fortran_order")?.hasPrefix("False") == true,
                let open = value("shape"), open.first == "(", let close = open.firstIndex(of: ")")
            else { return nil }
            descriptor = String(quoted[quoted.index(after: quoted.startIndex)..<end])
            var axes: [Int] = []
            for part in open[open.index(after: open.startIndex)..<close].split(separator: ",") {
                let digits = part.filter { $0 != " " }
                if digits.isEmpty { continue }
                guard let axis = Int(digits), axis >= 0 else { return nil }
                axes.append(axis)
            }
            guard axes.count <= 8 else { return nil }
            shape = axes
        }

        /// Nil when it overflows.
        var count: Int? {
            var count = 1
            for axis in shape {
                let (product, overflow) = count.multipliedReportingOverflow(by: axis)
                if overflow { return nil }
                count = product
            }
            return count
        }
    }
}

/// Writes float32 rows to a `.npy` file one batch after the other, without knowing how many will come.
///
/// The file has its name, and is complete, once `finish` has returned.
public final class NPYWriter {
    private let path: String
    private let file: PosixFile
    private let columns: Int
    private var rows = 0

    public init(path: String, columns: Int) throws(VectorIndexError) {
        self.path = path
        self.columns = columns
        file = try PosixFile(path + ".tmp", .create)
    }

    /// - Parameter values: whole rows, row-major.
    public func append(_ values: [Float]) throws(VectorIndexError) {
        guard columns > 0, values.count % columns == 0 else {
            throw .dimensionMismatch(expected: columns, received: values.count)
        }
        let offset = NPYFile.header("<f4", [rows, columns]).count + rows * columns * MemoryLayout<Float>.stride
        try values.withUnsafeBufferPointer { (buffer) throws(VectorIndexError) in
            try file.write(UnsafeRawBufferPointer(buffer), at: offset)
        }
        rows += values.count / columns
    }

    public func finish() throws(VectorIndexError) {
        try file.write(NPYFile.header("<f4", [rows, columns]), at: 0)
        try file.sync()
        try IndexDirectory(NPYFile.parent(of: path)).rename(path + ".tmp", path)
    }
}
