import Domain
import Testing

@testable import Access

@Suite("E-mail addresses")
struct EmailAddressTests {
    @Test(
        "AUTH-13: spellings of one address have one key, and each is kept as given",
        arguments: [
            ("Ada@Example.com", "ada@example.com"), ("ADA@EXAMPLE.COM", "ada@example.com"),
            // Full width and ligatures are compatibility characters.
            ("\u{FF41}da@example.com", "ada@example.com"), ("o\u{FB03}ce@example.com", "office@example.com"),
            ("STRASSE@example.com", "stra\u{DF}e@example.com"),
            (
                "\u{3A3}\u{3AF}\u{3C3}\u{3C5}\u{3C6}\u{3BF}\u{3C2}@example.com",
                "\u{3C3}\u{3AF}\u{3C3}\u{3C5}\u{3C6}\u{3BF}\u{3C3}@example.com"
            ),
            ("jose\u{301}@example.com", "JOS\u{C9}@example.com"), ("a@b\u{FC}cher.example", "a@xn--bcher-kva.example"),
            ("a@B\u{DC}CHER.example", "A@XN--BCHER-KVA.EXAMPLE"),
        ]
    )
    func same(_ left: String, _ right: String) throws {
        let left = (given: left, read: try EmailAddress(left))
        let right = (given: right, read: try EmailAddress(right))
        #expect(left.read.key == right.read.key)
        #expect(left.read == right.read)
        #expect(left.read.text == left.given)
        #expect(right.read.text == right.given)
    }

    @Test(
        "AUTH-13: what only looks alike stays apart",
        arguments: [
            ("ada@example.com", "\u{430}da@example.com"), ("ada@example.com", "ada@ex\u{430}mple.com"),
            ("bill@example.com", "b\u{131}ll@example.com"), ("jose@example.com", "jos\u{E9}@example.com"),
            ("ada@example.com", "ada+1@example.com"), ("a.da@example.com", "ada@example.com"),
        ]
    )
    func different(_ left: String, _ right: String) throws {
        #expect(try EmailAddress(left) != EmailAddress(right))
    }

    @Test(
        "AUTH-13: shown so that no letter passes for another",
        arguments: [
            ("ada@example.com", "ada@example.com"), ("Ada@Example.com", "Ada@example.com"),
            ("jos\u{E9}@example.com", "jos\u{E9}@example.com"), ("a@b\u{FC}cher.example", "a@xn--bcher-kva.example"),
            ("\u{430}da@example.com", "\\u{430}da@example.com"), ("ada@\u{430}pple.com", "ada@xn--pple-43d.com"),
            ("b\u{131}ll@example.com", "b\\u{131}ll@example.com"),
        ]
    )
    func shown(_ text: String, _ expected: String) throws { #expect(try EmailAddress(text).shown == expected) }

    // Section 7.1 of RFC 3492.
    @Test(
        "Punycode gives what RFC 3492 gives",
        arguments: [
            (
                "\u{0644}\u{064A}\u{0647}\u{0645}\u{0627}\u{0628}\u{062A}\u{0643}\u{0644}\u{0645}\u{0648}\u{0634}\u{0639}\u{0631}\u{0628}\u{064A}\u{061F}",
                "xn--egbpdaj6bu4bxfgehfvwxn"
            ),
            (
                "\u{4ED6}\u{4EEC}\u{4E3A}\u{4EC0}\u{4E48}\u{4E0D}\u{8BF4}\u{4E2D}\u{6587}",
                "xn--ihqwcrb4cv8a8dqg056pqjye"
            ),
            ("3\u{5E74}B\u{7D44}\u{91D1}\u{516B}\u{5148}\u{751F}", "xn--3B-ww4c5e180e575a65lsy2b"),
            ("b\u{FC}cher", "xn--bcher-kva"), ("plain", "plain"), ("", ""),
        ]
    )
    func punycode(_ label: String, _ expected: String) { #expect(Punycode.label(label[...]) == expected) }

    @Test(
        "what mail cannot go to, and what a header could end at, is refused",
        arguments: [
            "", "ada", "@example.com", "ada@", "ada@@example.com", "ada@example@com", "a da@example.com",
            "ada@exam ple.com", "ada@example.com\r\nBcc: x@y.z", "ada\0@example.com", "ada@example.com\n",
            ".ada@example.com", "ada.@example.com", "a..da@example.com", "ada@.com", "ada@example..com",
            "ada@-example.com", "ada@example-.com", "<ada@example.com>", "ada,bob@example.com", "ada@exam_ple.com",
            "\"ada\"@example.com", "ada@[127.0.0.1]", "ada(x)@example.com", "a\u{200B}da@example.com",
            "a\u{202E}da@example.com", "ada\u{FF20}example.com", "ada@example\u{3002}com", "ada\u{FF20}x@example.com",
            "a\u{A0}da@example.com", "a\u{AD}da@example.com",
            String(repeating: "a", count: 65) + "@example.com",
            "a@" + String(repeating: "b", count: 64) + ".com",
            "a@" + String(repeating: "bcdefgh.", count: 32) + "com",
        ]
    )
    func refused(_ text: String) {
        #expect(throws: AccessError(.invalid, "")) { _ = try EmailAddress(text) }
    }
}
