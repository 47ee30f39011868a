/// The type of a file, told from its first bytes.
///
/// Who uploads says a type too, and so does the server that a file is fetched from; both are believed only where the
/// bytes have no say: a text stays the text that it is said to be (CSV, Markdown, a program), never becomes a picture.
/// What browsers would run is never decided here: files go out so that nothing of them runs (`AttachmentContent.disposition`).
enum MediaType {
    static let unknown = "application/octet-stream"

    /// - Parameters:
    ///   - head: the first `Limits.attachmentHeadBytes` of the file, or all of it.
    ///   - filename: decides between formats that look alike inside.
    ///   - declared: what somebody says it is, with parameters or without.
    static func of(_ head: [UInt8], filename: String, declared: String?) -> String {
        if let found = signature(head) { return found }
        let ending = filename.split(separator: ".").last.map { $0.lowercased() } ?? ""
        if has(head, [0x50, 0x4B, 0x03, 0x04]) || has(head, [0x50, 0x4B, 0x05, 0x06]) {
            return archive(head) ?? zipEndings[ending] ?? "application/zip"
        }
        if has(head, [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]) {
            return oleEndings[ending] ?? "application/x-ole-storage"
        }
        let declared = declared.flatMap(essence)
        guard let text = text(head) else {
            // Bytes that are no text, of a format not in the table: the claim is as good as anything but must be none
            // of those that the bytes would have shown.
            guard let declared, !sniffed.contains(declared), !declared.hasPrefix("text/") else { return unknown }
            return declared
        }
        return textType(text, ending: ending, declared: declared)
    }

    /// `type/subtype` in lower case of a header's value; nil when it is none.
    static func essence(_ value: String) -> String? {
        let name = value.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }.lowercased()
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        let isToken = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            default: "/+-.!#$&^_".utf8.contains(byte)
            }
        }
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }), isToken, name.utf8.count <= 127 else { return nil }
        return name
    }

    // MARK: Signatures

    private static let fixed: [(bytes: [UInt8], type: String)] = [
        ([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], "image/png"),
        ([0xFF, 0xD8, 0xFF], "image/jpeg"),
        (Array("GIF87a".utf8), "image/gif"),
        (Array("GIF89a".utf8), "image/gif"),
        (Array("%PDF-".utf8), "application/pdf"),
        ([0x49, 0x49, 0x2A, 0x00], "image/tiff"),
        ([0x4D, 0x4D, 0x00, 0x2A], "image/tiff"),
        (Array("ID3".utf8), "audio/mpeg"),
        (Array("fLaC".utf8), "audio/flac"),
        (Array("OggS".utf8), "application/ogg"),
        ([0x1A, 0x45, 0xDF, 0xA3], "video/webm"),
        ([0x1F, 0x8B], "application/gzip"),
        ([0x42, 0x5A, 0x68], "application/x-bzip2"),
        ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], "application/x-xz"),
        ([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], "application/x-7z-compressed"),
        (Array("wOFF".utf8), "font/woff"),
        (Array("wOF2".utf8), "font/woff2"),
        (Array("SQLite format 3\0".utf8), "application/vnd.sqlite3"),
        (Array("{\\rtf".utf8), "application/rtf"),
    ]

    private static let sniffed = Set(fixed.map(\.type))
        .union(["image/webp", "audio/wav", "video/x-msvideo", "video/mp4", "image/avif", "image/heic", "image/bmp"])
        .union(["image/svg+xml", "application/zip", "application/json", "video/quicktime", "audio/mp4"])

    private static func signature(_ head: [UInt8]) -> String? {
        if let match = fixed.first(where: { has(head, $0.bytes) }) { return match.type }
        if has(head, Array("RIFF".utf8)) {
            if has(head, Array("WEBP".utf8), at: 8) { return "image/webp" }
            if has(head, Array("WAVE".utf8), at: 8) { return "audio/wav" }
            if has(head, Array("AVI ".utf8), at: 8) { return "video/x-msvideo" }
        }
        if has(head, Array("ftyp".utf8), at: 4), head.count >= 12 {
            switch String(decoding: head[8..<12], as: UTF8.self) {
            case "avif", "avis": return "image/avif"
            case "heic", "heix", "mif1", "msf1": return "image/heic"
            case "qt  ": return "video/quicktime"
            case "M4A ", "M4B ": return "audio/mp4"
            default: return "video/mp4"
            }
        }
        // A frame of MPEG audio, layer III: eleven bits set, and neither of the reserved rates. Two bytes are few, so
        // all of the header's four must make sense.
        if head.count >= 4, head[0] == 0xFF, head[1] & 0xE6 == 0xE2, head[2] >> 4 != 0xF, head[2] & 0xC != 0xC {
            return "audio/mpeg"
        }
        // "BM" alone begins honest texts; the reserved words are zero in bitmaps only.
        if has(head, Array("BM".utf8)), has(head, [0, 0, 0, 0], at: 6) { return "image/bmp" }
        return nil
    }

    private static func has(_ head: [UInt8], _ bytes: [UInt8], at offset: Int = 0) -> Bool {
        head.count >= offset + bytes.count && head[offset..<offset + bytes.count].elementsEqual(bytes)
    }

    // MARK: Archives

    private static let zipEndings = [
        "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "odt": "application/vnd.oasis.opendocument.text",
        "ods": "application/vnd.oasis.opendocument.spreadsheet",
        "odp": "application/vnd.oasis.opendocument.presentation",
        "epub": "application/epub+zip",
        "jar": "application/java-archive",
    ]

    private static let oleEndings = [
        "doc": "application/msword", "xls": "application/vnd.ms-excel", "ppt": "application/vnd.ms-powerpoint",
        "msg": "application/vnd.ms-outlook",
    ]

    /// Office's documents are archives with known folders; OpenDocument and EPUB say their type in their first entry,
    /// which is not compressed.
    private static func archive(_ head: [UInt8]) -> String? {
        if has(head, Array("mimetype".utf8), at: 30) {
            let named = head.dropFirst(38).prefix(80).prefix { $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "P") }
            if let type = essence(String(decoding: named, as: UTF8.self)), zipEndings.values.contains(type) {
                return type
            }
        }
        let start = head.prefix(8_192)
        for (folder, ending) in [("word/", "docx"), ("xl/", "xlsx"), ("ppt/", "pptx")]
        where start.firstRange(of: Array(folder.utf8)) != nil && start.firstRange(of: Array("[Content".utf8)) != nil {
            return zipEndings[ending]
        }
        return nil
    }

    // MARK: Texts

    private static let textEndings = [
        "csv": "text/csv", "tsv": "text/tab-separated-values", "md": "text/markdown", "markdown": "text/markdown",
        "txt": "text/plain", "log": "text/plain", "json": "application/json", "xml": "application/xml",
        "html": "text/html", "htm": "text/html", "css": "text/css", "js": "text/javascript", "ics": "text/calendar",
        "vcf": "text/vcard", "yaml": "application/yaml", "yml": "application/yaml", "svg": "image/svg+xml",
        "jsonl": "application/jsonl", "ndjson": "application/jsonl",
    ]

    /// The head as text; nil when it holds bytes that no text has. An empty file is a text.
    private static func text(_ head: [UInt8]) -> String? {
        if has(head, [0xFF, 0xFE]) || has(head, [0xFE, 0xFF]) { return "" }
        let isBinary = head.contains { byte in
            byte < 0x20 && byte != 0x09 && byte != 0x0A && byte != 0x0D && byte != 0x0C && byte != 0x1B
        }
        if isBinary { return nil }
        var start = head.prefix(4_096)
        // Not in the middle of a character.
        if start.count < head.count { while let last = start.last, last >= 0x80 { start.removeLast() } }
        return String(decoding: start, as: UTF8.self)
    }

    private static func textType(_ text: String, ending: String, declared: String?) -> String {
        let start = text.drop { $0.isWhitespace || $0 == "\u{FEFF}" }.prefix(1_024).lowercased()
        if start.hasPrefix("<!doctype html") || start.hasPrefix("<html") { return "text/html" }
        if start.hasPrefix("<svg") { return "image/svg+xml" }
        if start.hasPrefix("<?xml") || start.hasPrefix("<!doctype svg") || start.hasPrefix("<!--") {
            if start.contains("<svg") { return "image/svg+xml" }
            if start.hasPrefix("<?xml") { return declared.flatMap { isMarkup($0) ? $0 : nil } ?? "application/xml" }
        }
        if let byName = textEndings[ending], byName != "image/svg+xml" { return byName }
        if let declared, isText(declared) { return declared }
        if start.hasPrefix("{") || start.hasPrefix("[") { return "application/json" }
        // Other encodings than UTF-8 are taken for text only where somebody said so.
        return text.contains("\u{FFFD}") ? unknown : "text/plain"
    }

    private static func isMarkup(_ type: String) -> Bool { type.hasSuffix("+xml") && type != "image/svg+xml" }

    private static func isText(_ type: String) -> Bool {
        type.hasPrefix("text/") || type.hasSuffix("+json") || isMarkup(type)
            || ["application/json", "application/yaml", "application/sql", "application/jsonl"].contains(type)
    }
}
