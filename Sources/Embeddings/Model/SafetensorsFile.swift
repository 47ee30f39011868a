import Domain

/// A memory-mapped file of named tensors in the safetensors format.
///
/// The file is untrusted: length of the header, its JSON, types, shapes and ranges are checked before any byte
/// is used, and the ranges must tile the data exactly (no overlap, no hole, nothing behind), as the format's
/// documentation demands. Format: 8 bytes little-endian length of the header, a JSON object `{name: {"dtype",
/// "shape", "data_offsets"}}`, then the data; github.com/huggingface/safetensors, "Format".
package final class SafetensorsFile: Sendable {
    package enum DataType: String, Sendable, CaseIterable {
        case bool = "BOOL"
        case u8 = "U8"
        case i8 = "I8"
        case f8e4m3 = "F8_E4M3"
        case f8e5m2 = "F8_E5M2"
        case u16 = "U16"
        case i16 = "I16"
        case f16 = "F16"
        case bf16 = "BF16"
        case u32 = "U32"
        case i32 = "I32"
        case f32 = "F32"
        case u64 = "U64"
        case i64 = "I64"
        case f64 = "F64"

        package var byteCount: Int {
            switch self {
            case .bool, .u8, .i8, .f8e4m3, .f8e5m2: 1
            case .u16, .i16, .f16, .bf16: 2
            case .u32, .i32, .f32: 4
            case .u64, .i64, .f64: 8
            }
        }
    }

    package struct Tensor: Sendable, Hashable {
        package let type: DataType
        package let shape: [Int]
        /// Bytes of the file.
        package let range: Range<Int>

        package var count: Int { range.count / type.byteCount }
    }

    package let tensors: [String: Tensor]
    private let file: MappedFile
    private let name: String

    convenience init(files: ModelFiles, name: String) throws {
        try self.init(file: files.map(name), name: name)
    }

    /// Opens `directory/name`.
    package convenience init(directory: String, name: String) throws {
        try self.init(files: ModelFiles(directory: directory), name: name)
    }

    private init(file: MappedFile, name: String) throws {
        self.file = file
        self.name = name
        let bytes = file.bytes
        guard bytes.count >= 8 else { throw EmbeddingsError.modelDamaged(name, "it ends inside its first 8 bytes") }
        let declared = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        let limit = min(UInt64(bytes.count - 8), UInt64(Limits.jsonBytes))
        guard declared <= limit else {
            throw EmbeddingsError.modelDamaged(name, "its header claims \(declared) bytes, at most \(limit) can be")
        }
        let dataStart = 8 + Int(declared)
        let text = UnsafeRawBufferPointer(rebasing: bytes[8..<dataStart]).bindMemory(to: UInt8.self)
        let header: JSONValue
        do {
            header = try JSONValue(parsing: text)
        } catch {
            throw EmbeddingsError.modelDamaged(name, "its header: \(error.message)")
        }
        tensors = try Self.tensors(header, dataStart: dataStart, fileBytes: bytes.count, name: name)
    }

    /// The values of a tensor as Float32, from the file where they are stored so, else converted.
    ///
    /// - Throws: `modelDamaged` when it is missing or has another shape, `modelUnsupported` for other types.
    func floats(_ tensorName: String, shape: [Int]) throws -> FloatTensor {
        let tensor = try tensor(tensorName, shape: shape)
        let source = UnsafeRawBufferPointer(rebasing: file.bytes[tensor.range])
        switch tensor.type {
        case .f32:
            guard source.count > 0, Int(bitPattern: source.baseAddress) % MemoryLayout<Float>.alignment == 0 else {
                return FloatTensor(filling: tensor.count) { $0.copyMemory(from: source) }
            }
            return FloatTensor(mapped: source.bindMemory(to: Float.self), of: file)
        case .f16:
            return FloatTensor(filling: tensor.count) { target in
                let floats = target.bindMemory(to: Float.self)
                for position in floats.indices {
                    floats[position] = Self.float(
                        half: source.loadUnaligned(fromByteOffset: 2 * position, as: UInt16.self)
                    )
                }
            }
        case .bf16:
            return FloatTensor(filling: tensor.count) { target in
                let floats = target.bindMemory(to: Float.self)
                for position in floats.indices {
                    let bits = source.loadUnaligned(fromByteOffset: 2 * position, as: UInt16.self)
                    floats[position] = Float(bitPattern: UInt32(bits) << 16)
                }
            }
        default:
            throw EmbeddingsError.modelUnsupported(name, "\(tensorName) is of type \(tensor.type.rawValue)")
        }
    }

    /// Names of the Float32 tensors that hold NaN or an infinity. Reads them whole.
    func tensorsWithoutNumbers() throws -> [String] {
        try tensors.keys.sorted().filter { name in
            guard let tensor = tensors[name], tensor.type == .f32, tensor.count > 0 else { return false }
            // 0 · x is 0 for every number; one sum tells.
            let values = try floats(name, shape: tensor.shape).values
            return !values.reduce(Float(0)) { $0 + $1 * 0 }.isFinite
        }
    }

    private func tensor(_ tensorName: String, shape: [Int]) throws -> Tensor {
        guard let tensor = tensors[tensorName] else {
            throw EmbeddingsError.modelDamaged(name, "it has no tensor \(tensorName)")
        }
        guard tensor.shape == shape else {
            let problem = "\(tensorName) has shape \(tensor.shape), the configuration asks for \(shape)"
            throw EmbeddingsError.modelDamaged(name, problem)
        }
        return tensor
    }

    private static func tensors(
        _ header: JSONValue,
        dataStart: Int,
        fileBytes: Int,
        name: String
    ) throws -> [String: Tensor] {
        guard let members = header.objectValue else {
            throw EmbeddingsError.modelDamaged(name, "its header is no JSON object")
        }
        var tensors: [String: Tensor] = [:]
        for (key, value) in members where key != "__metadata__" {
            guard let tensor = tensor(value, dataStart: dataStart, dataBytes: fileBytes - dataStart) else {
                let problem = "type, shape and range of tensor \(shown(key)) don't fit together or the file"
                throw EmbeddingsError.modelDamaged(name, problem)
            }
            tensors[key] = tensor
        }
        var end = dataStart
        for (key, tensor) in tensors.sorted(by: {
            ($0.value.range.lowerBound, $0.value.range.upperBound)
                < ($1.value.range.lowerBound, $1.value.range.upperBound)
        }) {
            guard tensor.range.lowerBound == end else {
                throw EmbeddingsError.modelDamaged(name, "tensor \(shown(key)) does not begin where the last one ends")
            }
            end = tensor.range.upperBound
        }
        guard end == fileBytes else {
            throw EmbeddingsError.modelDamaged(name, "\(fileBytes - end) bytes at its end belong to no tensor")
        }
        return tensors
    }

    private static func tensor(_ value: JSONValue, dataStart: Int, dataBytes: Int) -> Tensor? {
        guard let type = value["dtype"]?.stringValue.flatMap(DataType.init(rawValue:)),
            let dimensions = value["shape"]?.arrayValue, dimensions.count <= 8,
            let offsets = value["data_offsets"]?.arrayValue, offsets.count == 2,
            let start = offsets[0].intValue, let end = offsets[1].intValue,
            0 <= start, start <= end, end <= dataBytes
        else { return nil }
        var shape: [Int] = []
        var byteCount = type.byteCount
        for dimension in dimensions {
            guard let dimension = dimension.intValue, dimension >= 0 else { return nil }
            let (product, overflow) = byteCount.multipliedReportingOverflow(by: dimension)
            if overflow { return nil }
            byteCount = product
            shape.append(dimension)
        }
        guard byteCount == end - start else { return nil }
        return Tensor(type: type, shape: shape, range: dataStart + start..<dataStart + end)
    }

    /// A name from the file, short enough for a message.
    private static func shown(_ key: String) -> String { "\"\(key.prefix(80))\"" }

    /// IEEE 754 half precision, without needing a processor or a Swift that has it.
    static func float(half: UInt16) -> Float {
        let sign = UInt32(half & 0x8000) << 16
        let exponent = UInt32(half >> 10 & 0x1F)
        let fraction = UInt32(half & 0x3FF)
        switch exponent {
        case 0:
            let magnitude = Float(fraction) * 0x1p-24
            return sign == 0 ? magnitude : -magnitude
        case 0x1F:
            return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
        default:
            return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
        }
    }
}
