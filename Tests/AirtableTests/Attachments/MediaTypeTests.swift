import Testing

@testable import Airtable

@Suite("Media types of attachments")
struct MediaTypeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let head: [UInt8]
        let filename: String
        let declared: String?
        let type: String

        init(_ head: [UInt8], named filename: String = "file", declared: String? = nil, _ type: String) {
            self.head = head
            self.filename = filename
            self.declared = declared
            self.type = type
        }

        var testDescription: String { "\(filename), said to be \(declared ?? "nothing"): \(type)" }
    }

    private static func zip(_ entries: String) -> [UInt8] {
        [0x50, 0x4B, 0x03, 0x04] + [UInt8](repeating: 0, count: 26) + Array(entries.utf8)
    }

    static let cases: [Case] = [
        Case(
            [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0],
            named: "a.txt",
            declared: "text/plain",
            "image/png"
        ),
        Case([0xFF, 0xD8, 0xFF, 0xE0], "image/jpeg"),
        Case(Array("GIF89a".utf8), "image/gif"),
        Case(Array("RIFF\0\0\0\0WEBPVP8 ".utf8), "image/webp"),
        Case(Array("RIFF\0\0\0\0WAVEfmt ".utf8), "audio/wav"),
        Case(Array("%PDF-1.7\n".utf8), declared: "image/png", "application/pdf"),
        Case([0, 0, 0, 0x20] + Array("ftypisom".utf8), "video/mp4"),
        Case([0, 0, 0, 0x20] + Array("ftypM4A ".utf8), "audio/mp4"),
        Case([0, 0, 0, 0x20] + Array("ftypavif".utf8), "image/avif"),
        Case(Array("ID3\u{4}".utf8), "audio/mpeg"),
        Case([0xFF, 0xFB, 0x90, 0x44], "audio/mpeg"),
        Case([0xFF, 0xFB, 0xF0, 0x44], "application/octet-stream"),
        Case([0x1F, 0x8B, 0x08], "application/gzip"),
        Case(zip("readme.md"), "application/zip"),
        Case(
            zip("[Content_Types].xml … word/document.xml"),
            named: "report.zip",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
        ),
        Case(
            zip("data"),
            named: "Budget.XLSX",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        ),
        Case(
            zip("mimetypeapplication/vnd.oasis.opendocument.textPK"),
            "application/vnd.oasis.opendocument.text"
        ),
        Case([0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1], named: "old.doc", "application/msword"),
        Case(Array("<svg xmlns='…'></svg>".utf8), "image/svg+xml"),
        Case(Array("<?xml version='1.0'?>\n<!-- x -->\n<svg/>".utf8), named: "a.xml", "image/svg+xml"),
        Case(Array("<?xml version='1.0'?><feed/>".utf8), declared: "application/atom+xml", "application/xml-or-atom"),
        Case(Array("  <!DOCTYPE HTML><script>".utf8), named: "cat.png", declared: "image/png", "text/html"),
        Case(Array("a,b\n1,2\n".utf8), named: "table.csv", "text/csv"),
        Case(Array("{\"a\": 1}".utf8), "application/json"),
        Case(Array("Hello,\nwörld".utf8), "text/plain"),
        Case(Array("# Title".utf8), named: "README.md", "text/markdown"),
        Case(Array("x = 1".utf8), declared: "text/x-python; charset=utf-8", "text/x-python"),
        Case(Array("Preis;\u{E4}\n".unicodeScalars.map { UInt8($0.value) }), named: "latin.csv", "text/csv"),
        Case(Array("Gr\u{FC}\u{DF}e".unicodeScalars.map { UInt8($0.value) }), "application/octet-stream"),
        Case(Array(String(repeating: "a", count: 4_095).utf8) + Array("\u{1F30D} and on".utf8), "text/plain"),
        Case([], named: "empty.csv", "text/csv"),
        Case([], "text/plain"),
        Case([0, 1, 2, 3], "application/octet-stream"),
        Case([0, 1, 2, 3], declared: "application/x-own", "application/x-own"),
    ]

    @Test("are told from the bytes; a name or a claim only decides between what looks alike", arguments: cases)
    func types(_ example: Case) {
        let found = MediaType.of(example.head, filename: example.filename, declared: example.declared)
        // Markup keeps a narrower name that is given to it.
        let expected = example.type == "application/xml-or-atom" ? "application/atom+xml" : example.type
        #expect(found == expected)
    }

    @Test(
        "never become a picture, a film or a page by a claim alone",
        arguments: ["image/png", "image/svg+xml", "video/mp4", "text/html", "application/pdf"]
    )
    func claims(_ claim: String) {
        #expect(MediaType.of([0, 1, 2, 3], filename: "x.html", declared: claim) == MediaType.unknown)
        if !claim.hasPrefix("text/") {
            #expect(MediaType.of(Array("plain".utf8), filename: "x", declared: claim) == "text/plain")
        }
    }

    @Test("are read from a header without its parameters, and not at all when it is none")
    func essence() {
        #expect(MediaType.essence("Text/CSV; charset=utf-8") == "text/csv")
        #expect(MediaType.essence("image/svg+xml") == "image/svg+xml")
        for bad in ["", "text", "text/", "/csv", "a/b/c", "text/c\r\nX: y", "text/ü"] {
            #expect(MediaType.essence(bad) == nil, "\(bad)")
        }
    }
}
