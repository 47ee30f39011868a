import CKernels
import Crypto
import Foundation

/// Digests of model files: a fast one over every byte for the identity, SHA-256 for checking.
enum ModelFingerprint {
    /// Names of models this program knows: their own files give a name that tells people less.
    static let names = ["986abf3605c73fa90bbdceb5448fa5c2": "all-MiniLM-L6-v2"]

    /// What the setup script leaves beside a model whose published SHA-256 it has checked.
    static let verifiedMark = ".verified"

    private static let pieceBytes = 1 << 20

    /// - Throws: `modelDamaged` when the directory says that it holds a model this program knows, by its name or by
    ///   the setup script's mark, and the files are not that model's. A flipped bit in a weight shows nowhere else.
    static func checkClaim(_ files: ModelFiles, identity: String) throws {
        guard names[identity] == nil else { return }
        let folder = URL(fileURLWithPath: files.directory).standardizedFileURL.lastPathComponent
        if names.values.contains(folder) || files.contains(verifiedMark) {
            throw EmbeddingsError.modelDamaged(
                TransformerEmbedder.weightsName,
                "it, the tokenizer or the settings differ from the published model (a model of your own wants a "
                    + "directory of another name without \(verifiedMark))"
            )
        }
    }

    /// 32 hexadecimal digits over weights, tokenizer and the settings that change vectors.
    ///
    /// Reads the weights through the page cache rather than the map, so that they don't all count as this process's
    /// memory: half of them, the word table, is hardly ever touched. 91 MB take about 15 ms once in the cache.
    static func identity(_ files: ModelFiles, weights: String, tokenizer: String, settings: String) throws -> String {
        var state = encoder_fingerprint()
        encoder_fingerprint_begin(&state)
        for name in [weights, tokenizer] {
            var length: UInt64 = 0
            try forEachPiece(files, name) { bytes in
                // A piece shorter than 64 bytes fills a block with zeros: the length behind it tells them apart.
                encoder_fingerprint_add(&state, bytes.baseAddress!, bytes.count)
                length += UInt64(bytes.count)
            }
            withUnsafeBytes(of: length.littleEndian) { encoder_fingerprint_add(&state, $0.baseAddress!, $0.count) }
        }
        Array(settings.utf8).withUnsafeBytes { encoder_fingerprint_add(&state, $0.baseAddress!, $0.count) }
        var words: [UInt64] = [0, 0]
        encoder_fingerprint_end(&state, &words)
        return words.map { hexadecimal(withUnsafeBytes(of: $0.bigEndian) { Array($0) }) }.joined()
    }

    static func sha256(_ files: ModelFiles, _ name: String) throws -> String {
        var hash = SHA256()
        try forEachPiece(files, name) { hash.update(bufferPointer: $0) }
        return hexadecimal(Array(hash.finalize()))
    }

    private static func forEachPiece(
        _ files: ModelFiles,
        _ name: String,
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        do {
            let (descriptor, _) = try ModelFiles.open(files.path(name))
            defer { close(descriptor) }
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceBytes, alignment: 64)
            defer { buffer.deallocate() }
            while true {
                var filled = 0
                while filled < buffer.count {
                    let count = read(descriptor, buffer.baseAddress! + filled, buffer.count - filled)
                    if count < 0, errno == EINTR { continue }
                    guard count >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
                    if count == 0 { break }
                    filled += count
                }
                if filled > 0 { try body(UnsafeRawBufferPointer(rebasing: buffer[..<filled])) }
                if filled < buffer.count { return }
            }
        } catch let error as POSIXError {
            throw ModelFiles.failure(name, error)
        }
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
