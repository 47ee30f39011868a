import Testing

@testable import Airtable

@Suite("Names of attachments")
struct AttachmentNameTests {
    @Test(
        "are the last part of what was given, without what deceives or breaks",
        arguments: [
            ("a.png", "a.png"), ("../../etc/passwd", "passwd"), ("C:\\temp\\b.txt", "b.txt"), ("", "untitled"),
            ("..", "untitled"), (".hidden", "hidden"), ("a\r\nb\0.txt", "ab.txt"), ("  x  ", "x"),
            ("gnp\u{202E}exe.txt", "gnpexe.txt"), ("Übersicht 🎉.pdf", "Übersicht 🎉.pdf"), ("/", "untitled"),
        ]
    )
    func cleaned(_ given: String, _ expected: String) { #expect(AttachmentName.cleaned(given) == expected) }

    @Test("are cut, but keep their ending")
    func long() {
        let cut = AttachmentName.cleaned(String(repeating: "x", count: 400) + ".jpeg")
        #expect(cut.count == 255 && cut.hasSuffix("x.jpeg"))
        #expect(AttachmentName.cleaned("a." + String(repeating: "y", count: 400)).count == 255)
    }

    @Test(
        "come from Content-Disposition, the extended one first",
        arguments: [
            ("attachment; filename=\"a b.txt\"", "a b.txt"), ("attachment; filename=plain.txt; size=3", "plain.txt"),
            ("inline; filename=\"old.txt\"; filename*=UTF-8''n%C3%BC.txt", "nü.txt"),
            ("attachment; filename=\"semi;colon \\\"q\\\".txt\"", "semi;colon \"q\".txt"),
            ("attachment; FileName=\"../x\"", "x"), ("attachment; filename*=latin1''%FC; filename=u", "u"),
            ("attachment", nil), ("attachment; filename=\"\"", nil),
        ] as [(String, String?)]
    )
    func disposition(_ header: String, _ expected: String?) {
        #expect(AttachmentName.named(inDisposition: header) == expected)
    }

    @Test(
        "or from the path of the address",
        arguments: [
            ("https://h/a/b.png?x=/y.gif", "b.png"), ("https://h/a%20b.txt", "a b.txt"), ("https://h/dir/", "dir"),
            ("https://h", nil), ("https://h/", nil), ("https://h/%2e%2e%2fx.txt", "x.txt"), ("https://h/%zz", "%zz"),
        ] as [(String, String?)]
    )
    func address(_ url: String, _ expected: String?) {
        #expect(AttachmentName.named(inAddress: url) == expected)
    }

    @Test("go into headers so that no name can end them")
    func header() {
        let header = AttachmentName.disposition("attachment", "a\"; x=\"ü.txt")
        #expect(header == "attachment; filename=\"a_; x=__.txt\"; filename*=UTF-8''a%22%3B%20x%3D%22%C3%BC.txt")
    }
}
