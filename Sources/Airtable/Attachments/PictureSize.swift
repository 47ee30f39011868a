/// Pixels of a picture, as its header says.
struct PictureSize: Sendable, Hashable {
    let width: Int
    let height: Int

    /// - Parameters:
    ///   - head: the beginning of the file; a size that stands further back is not found.
    ///   - type: what `MediaType` made of it.
    /// - Returns: nil for what is no picture, for a damaged header, and for sizes of zero.
    init?(_ head: [UInt8], type: String) {
        let found: (width: Int, height: Int)? =
            switch type {
            case "image/png": Self.png(head)
            case "image/gif": Self.gif(head)
            case "image/jpeg": Self.jpeg(head)
            case "image/webp": Self.webp(head)
            case "image/bmp": Self.bitmap(head)
            case "image/svg+xml": Self.svg(head)
            default: nil
            }
        guard let found, found.width > 0, found.height > 0 else { return nil }
        (width, height) = found
    }

    /// PNG (third edition), section 11.2.1: IHDR is the first chunk.
    private static func png(_ head: [UInt8]) -> (Int, Int)? {
        guard head.count >= 24, head[12..<16].elementsEqual("IHDR".utf8) else { return nil }
        return (big(head, 16, 4), big(head, 20, 4))
    }

    /// GIF 89a, section 18: the logical screen.
    private static func gif(_ head: [UInt8]) -> (Int, Int)? {
        guard head.count >= 10 else { return nil }
        return (little(head, 6, 2), little(head, 8, 2))
    }

    /// JPEG (T.81), annex B: segments up to the first frame header. Pictures that EXIF says are turned by a quarter
    /// are as wide as they are shown.
    private static func jpeg(_ head: [UInt8]) -> (Int, Int)? {
        var position = 2
        var isTurned = false
        while position + 9 < head.count {
            guard head[position] == 0xFF else { return nil }
            let marker = head[position + 1]
            // Fill bytes, and markers without a length.
            if marker == 0xFF {
                position += 1
                continue
            }
            if marker == 0x01 || (0xD0...0xD8).contains(marker) {
                position += 2
                continue
            }
            let length = big(head, position + 2, 2)
            guard length >= 2 else { return nil }
            if (0xC0...0xCF).contains(marker), marker != 0xC4, marker != 0xC8, marker != 0xCC {
                let (height, width) = (big(head, position + 5, 2), big(head, position + 7, 2))
                return isTurned ? (height, width) : (width, height)
            }
            if marker == 0xDA || marker == 0xD9 { return nil }
            let end = min(position + 2 + length, head.count)
            if marker == 0xE1 { isTurned = isTurned || (5...8).contains(orientation(head[position + 4..<end])) }
            position += 2 + length
        }
        return nil
    }

    /// EXIF 2.3, tag 0x0112 of the first directory; 1 when there is none.
    private static func orientation(_ segment: ArraySlice<UInt8>) -> Int {
        let bytes = Array(segment)
        guard bytes.count >= 14, bytes[0..<6].elementsEqual([0x45, 0x78, 0x69, 0x66, 0, 0]) else { return 1 }
        let tiff = Array(bytes[6...])
        let isLittle = tiff[0] == 0x49
        func number(_ offset: Int, _ count: Int) -> Int {
            isLittle ? little(tiff, offset, count) : big(tiff, offset, count)
        }
        let directory = number(4, 4)
        guard directory >= 8, directory + 2 <= tiff.count else { return 1 }
        for entry in 0..<number(directory, 2) {
            let offset = directory + 2 + entry * 12
            guard offset + 12 <= tiff.count else { return 1 }
            if number(offset, 2) == 0x0112 { return number(offset + 8, 2) }
        }
        return 1
    }

    /// RFC 9649, section 2: lossy, lossless and extended files keep their sizes differently.
    private static func webp(_ head: [UInt8]) -> (Int, Int)? {
        guard head.count >= 30 else { return nil }
        switch String(decoding: head[12..<16], as: UTF8.self) {
        case "VP8 ": return (little(head, 26, 2) & 0x3FFF, little(head, 28, 2) & 0x3FFF)
        case "VP8L":
            let bits = little(head, 21, 4)
            return ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        case "VP8X": return (little(head, 24, 3) + 1, little(head, 27, 3) + 1)
        default: return nil
        }
    }

    /// The height is negative when rows go from top to bottom.
    private static func bitmap(_ head: [UInt8]) -> (Int, Int)? {
        guard head.count >= 26, little(head, 14, 4) >= 40 else { return nil }
        let height = Int32(truncatingIfNeeded: little(head, 22, 4))
        return (little(head, 18, 4), Int(height.magnitude))
    }

    /// `width` and `height` of the first element in pixels, or else the size of its `viewBox`.
    private static func svg(_ head: [UInt8]) -> (Int, Int)? {
        let text = String(decoding: head.prefix(16_384), as: UTF8.self)
        guard let start = text.firstRange(of: "<svg") else { return nil }
        let element = text[start.upperBound...].prefix { $0 != ">" }
        func attribute(_ name: String) -> Substring? {
            for quote in ["\"", "'"] {
                for space in [" ", "\n", "\t", "\r\n"] {
                    guard let found = element.firstRange(of: "\(space)\(name)=\(quote)") else { continue }
                    return element[found.upperBound...].prefix { String($0) != quote }
                }
            }
            return nil
        }
        func pixels(_ text: Substring?) -> Int? {
            guard var text else { return nil }
            if text.hasSuffix("px") { text = text.dropLast(2) }
            return Double(text).flatMap { $0 >= 1 && $0 <= 1e6 ? Int($0.rounded()) : nil }
        }
        if let width = pixels(attribute("width")), let height = pixels(attribute("height")) { return (width, height) }
        let box = attribute("viewBox")?.split { $0 == " " || $0 == "," } ?? []
        guard box.count == 4, let width = pixels(box[2]), let height = pixels(box[3]) else { return nil }
        return (width, height)
    }

    // MARK: Numbers

    /// Zero for what lies beyond the end.
    private static func big(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> Int {
        guard offset >= 0, offset + count <= bytes.count else { return 0 }
        return bytes[offset..<offset + count].reduce(0) { $0 << 8 | Int($1) }
    }

    private static func little(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> Int {
        guard offset >= 0, offset + count <= bytes.count else { return 0 }
        return bytes[offset..<offset + count].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
