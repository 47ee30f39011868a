/// The tail of a generation: frames one after the other, each with its own checksums.
///
/// A header names the generation and the checkpoint it follows. The last frame may be torn, by a crash or
/// because it is just being written: then it does not count. Damage before the last frame is an error; so
/// that a damaged length can't pass for a torn end, a frame's header has a checksum of its own, and
/// where one is wrong the rest is searched for a later frame.
struct TailFile {
    static let magic: UInt64 = 0x4C49_4154_4956_5950  // "PYVITAIL"
    static let headerByteCount = 40
    static let frameMagic: UInt32 = 0x4D52_4656  // "VFRM"
    static let frameHeaderByteCount = 32

    let file: PosixFile
    let generation: UInt64
    /// Where the next frame begins.
    private(set) var offset: Int
    /// The number of the next frame, from 0.
    private(set) var sequence: UInt64 = 0

    /// Begins an empty tail.
    static func create(_ path: String, generation: UInt64, checkpointCRC: UInt32) throws(VectorIndexError) -> TailFile {
        let file = try PosixFile(path, .create)
        var writer = ByteWriter()
        writer.append(magic)
        writer.append(CheckpointHeader.version)
        writer.append(CheckpointHeader.byteOrderMark)
        writer.append(generation)
        writer.append(checkpointCRC)
        writer.pad(to: headerByteCount - 4)
        writer.append(Checksum.of(writer.bytes))
        try file.write(writer.bytes, at: 0)
        try file.sync()
        return TailFile(file: file, generation: generation, offset: headerByteCount)
    }

    static func open(
        _ path: String,
        generation: UInt64,
        checkpointCRC: UInt32,
        _ mode: PosixFile.Mode
    ) throws(VectorIndexError) -> TailFile {
        let file = try PosixFile(path, mode)
        guard try file.byteCount() >= headerByteCount else { throw .corrupt("its tail is too short") }
        let bytes = try file.read(headerByteCount, at: 0)
        let isOurs = bytes.withUnsafeBytes { bytes in
            var reader = ByteReader(bytes)
            let named = (
                reader.next(UInt64.self), reader.next(UInt32.self), reader.next(UInt32.self),
                reader.next(UInt64.self), reader.next(UInt32.self)
            )
            return named == (magic, CheckpointHeader.version, CheckpointHeader.byteOrderMark, generation, checkpointCRC)
        }
        var last = ByteWriter()
        last.append(Checksum.of(bytes.dropLast(4)))
        guard isOurs, Array(bytes.suffix(4)) == last.bytes else {
            throw .corrupt("its tail does not belong to its checkpoint", path)
        }
        return TailFile(file: file, generation: generation, offset: headerByteCount)
    }

    enum Next {
        case frame([UInt8])
        /// Nothing more, or a frame that is not complete.
        case end(isTorn: Bool)
    }

    /// Reads the next frame.
    ///
    /// - Parameter byteCount: the file's size, as known before the call.
    mutating func next(byteCount: Int) throws(VectorIndexError) -> Next {
        guard byteCount > offset else { return .end(isTorn: false) }
        let rest = byteCount - offset
        guard rest >= Self.frameHeaderByteCount else { return .end(isTorn: true) }
        let header = try file.read(Self.frameHeaderByteCount, at: offset)
        guard let frame = FrameHeader(header, generation: generation), frame.sequence == sequence else {
            if try hasLaterFrame(byteCount: byteCount) { throw .corrupt("its tail, in the middle", "at \(offset)") }
            return .end(isTorn: true)
        }
        guard frame.byteCount <= UInt64(rest - Self.frameHeaderByteCount) else { return .end(isTorn: true) }
        let payload = try file.read(Int(frame.byteCount), at: offset + Self.frameHeaderByteCount)
        guard Checksum.of(payload) == frame.crc else {
            let isLast = Int(frame.byteCount) == rest - Self.frameHeaderByteCount
            if isLast { return .end(isTorn: true) }
            throw .corrupt("its tail, in the middle", "at \(offset)")
        }
        offset += Self.frameHeaderByteCount + payload.count
        sequence += 1
        return .frame(payload)
    }

    /// Appends a frame; it counts once it is synced.
    mutating func append(_ payload: [UInt8]) throws(VectorIndexError) {
        let header = FrameHeader(sequence: sequence, byteCount: UInt64(payload.count), crc: Checksum.of(payload))
        try file.write(header.encoded(generation: generation) + payload, at: offset)
        try file.syncData()
        offset += Self.frameHeaderByteCount + payload.count
        sequence += 1
    }

    /// Cuts off what does not count.
    func cut() throws(VectorIndexError) {
        try file.truncate(to: offset)
        try file.sync()
    }

    /// Looks beyond a bad header for a good one that comes later in order.
    private func hasLaterFrame(byteCount: Int) throws(VectorIndexError) -> Bool {
        let window = 1 << 20
        var start = offset + 1
        while start + Self.frameHeaderByteCount <= byteCount {
            let count = min(window + Self.frameHeaderByteCount, byteCount - start)
            let bytes = try file.read(count, at: start)
            let found = bytes.withUnsafeBytes { bytes in
                for position in 0...(count - Self.frameHeaderByteCount)
                where bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self).littleEndian == Self.frameMagic {
                    let header = Array(bytes[position..<position + Self.frameHeaderByteCount])
                    if let frame = FrameHeader(header, generation: generation), frame.sequence > sequence {
                        return true
                    }
                }
                return false
            }
            if found { return true }
            start += window
        }
        return false
    }
}

private struct FrameHeader {
    let sequence: UInt64
    let byteCount: UInt64
    let crc: UInt32

    init(sequence: UInt64, byteCount: UInt64, crc: UInt32) {
        self.sequence = sequence
        self.byteCount = byteCount
        self.crc = crc
    }

    /// Nil when it is not a header of this generation.
    init?(_ bytes: [UInt8], generation: UInt64) {
        let fields = bytes.withUnsafeBytes { bytes in
            var reader = ByteReader(bytes)
            return (
                reader.next(UInt32.self), reader.next(UInt32.self), reader.next(UInt64.self), reader.next(UInt64.self),
                reader.next(UInt32.self), reader.next(UInt32.self)
            )
        }
        guard fields.0 == TailFile.frameMagic, let crc = fields.1, let sequence = fields.2, let byteCount = fields.3,
            let payloadCRC = fields.4, fields.5 == UInt32(truncatingIfNeeded: generation),
            crc == Checksum.of(bytes.dropFirst(8))
        else { return nil }
        self.init(sequence: sequence, byteCount: byteCount, crc: payloadCRC)
    }

    func encoded(generation: UInt64) -> [UInt8] {
        var rest = ByteWriter()
        rest.append(sequence)
        rest.append(byteCount)
        rest.append(crc)
        rest.append(UInt32(truncatingIfNeeded: generation))
        var writer = ByteWriter()
        writer.append(TailFile.frameMagic)
        writer.append(Checksum.of(rest.bytes))
        rest.bytes.withUnsafeBytes { writer.append($0) }
        return writer.bytes
    }
}
