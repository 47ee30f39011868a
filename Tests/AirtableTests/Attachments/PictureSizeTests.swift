import TestSupport
import Testing

@testable import Airtable

@Suite("Sizes of pictures")
struct PictureSizeTests {
    static func png(_ width: UInt8, _ height: UInt8) -> [UInt8] {
        [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13] + Array("IHDR".utf8)
            + [0, 0, 1, width, 0, 0, 0, height, 8, 6, 0, 0, 0]
    }

    /// - Parameter orientation: of an EXIF segment before the frame; none for nil.
    static func jpeg(orientation: UInt8?) -> [UInt8] {
        var bytes: [UInt8] = [0xFF, 0xD8]
        if let orientation {
            let tiff: [UInt8] =
                [0x4D, 0x4D, 0, 0x2A, 0, 0, 0, 8, 0, 1] + [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]
            let body = Array("Exif\0\0".utf8) + tiff
            bytes += [0xFF, 0xE1, 0, UInt8(body.count + 2)] + body
        }
        return bytes + [0xFF, 0xC4, 0, 4, 1, 2] + [0xFF, 0xFF, 0xC2, 0, 11, 8, 0x02, 0x00, 0x03, 0x01, 1, 1, 0x11, 0]
    }

    private func size(_ bytes: [UInt8], _ type: String) -> [Int]? {
        PictureSize(bytes, type: type).map { [$0.width, $0.height] }
    }

    @Test("are read from the headers of PNG, GIF, JPEG, WebP and bitmaps")
    func headers() {
        #expect(size(Self.png(4, 200), "image/png") == [260, 200])
        #expect(size(Array("GIF89a".utf8) + [0x40, 0x01, 0xF0, 0x00], "image/gif") == [320, 240])
        #expect(size(Self.jpeg(orientation: nil), "image/jpeg") == [769, 512])
        let riff = Array("RIFF\0\0\0\0WEBP".utf8)
        let lossy = Array("VP8 ".utf8) + [0, 0, 0, 0, 0, 0, 0, 0x9D, 0x01, 0x2A] + [0x2C, 0x01, 0x90, 0x40]
        #expect(size(riff + lossy, "image/webp") == [300, 144])
        // 17 wide (16 stored), 9 high (8 stored, 14 bits further on).
        let lossless = Array("VP8L".utf8) + [0, 0, 0, 0, 0x2F, 16, 0, 2, 0] + [UInt8](repeating: 0, count: 8)
        #expect(size(riff + lossless, "image/webp") == [17, 9])
        let extended = Array("VP8X".utf8) + [10, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0x03, 0, 0xFF, 0x02, 0]
        #expect(size(riff + extended, "image/webp") == [1_024, 768])
        let bitmap =
            Array("BM".utf8) + [UInt8](repeating: 0, count: 12) + [40, 0, 0, 0, 7, 0, 0, 0, 0xFB, 0xFF, 0xFF, 0xFF]
        #expect(size(bitmap, "image/bmp") == [7, 5])
    }

    @Test("of a turned photograph are those it is shown with")
    func turned() {
        #expect(size(Self.jpeg(orientation: 1), "image/jpeg") == [769, 512])
        #expect(size(Self.jpeg(orientation: 6), "image/jpeg") == [512, 769])
    }

    @Test("of drawings are their width and height, or their view box")
    func drawings() {
        func svg(_ text: String) -> [Int]? { size(Array(text.utf8), "image/svg+xml") }
        #expect(svg("<svg width=\"120px\" height='80'>") == [120, 80])
        #expect(svg("<svg viewBox=\"0 0 64 32\" width=\"100%\">") == [64, 32])
        #expect(svg("<svg stroke-width=\"2\">") == nil)
        #expect(svg("<svg width=\"1e30\" height=\"2\">") == nil)
    }

    @Test("are unknown when the header is cut, at whatever byte, and nothing crashes")
    func cut() {
        for (bytes, type) in [
            (Self.png(4, 200), "image/png"), (Self.jpeg(orientation: 6), "image/jpeg"),
            (Array("RIFF\0\0\0\0WEBPVP8X".utf8) + [UInt8](repeating: 1, count: 14), "image/webp"),
        ] {
            for count in 0..<bytes.count { _ = PictureSize(Array(bytes.prefix(count)), type: type) }
        }
        #expect(size(Array(Self.png(4, 200).prefix(20)), "image/png") == nil)
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<2_000 {
            var bytes = Self.jpeg(orientation: 6)
            for _ in 0..<3 {
                bytes[Int.random(in: 2..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            _ = PictureSize(bytes, type: "image/jpeg")
        }
    }
}
