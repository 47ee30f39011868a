import Domain
import Testing

@testable import Access

@Suite("Which passwords may be chosen")
struct PasswordPolicyTests {
    private let policy = PasswordPolicy(names: ["Ada Lovelace", "countess.of-lovelace", "Analytical Engines"])

    private func isAccepted(_ text: String) -> Bool {
        do {
            try policy.check(Password(text))
            return true
        } catch {
            #expect(error.code == .weakPassword && error.kind == .invalid)
            // "A password has …" is no quotation.
            #expect(text == "password" || !error.description.contains(text), "a refusal quotes the password")
            return false
        }
    }

    @Test(
        "AUTH-03: 8 to 128 characters, any script, spaces at the ends, no rule of composition",
        arguments: [
            ("1234567", false), ("kqzvwmpt", true), (String(repeating: "kq", count: 64), true),
            (String(repeating: "kq", count: 64) + "z", false), ("        kqz", true), ("ключ от дома", true),
            ("鍵鍵扉扉窓窓壁壁", true), (String(repeating: "\u{1F600}\u{1F601}", count: 64), true),
            // Composed it has 8 scalars, as typed 16; 7 and 14.
            (String(repeating: "e\u{301}", count: 4) + "wxyz", true), (String(repeating: "e\u{301}", count: 7), false),
            ("only lower case letters", true), ("kqzv\0wmpt", false),
            // One character to the eye, and 200 scalars.
            ("e" + String(repeating: "\u{302}", count: 200), false),
        ]
    )
    func length(_ text: String, _ expected: Bool) { #expect(isAccepted(text) == expected) }

    @Test(
        "AUTH-04: what leaked lists are full of is refused, whatever its case",
        arguments: [
            "password", "PASSWORD", "Password1", "12345678", "qwertyuiop", "1q2w3e4r", "iloveyou", "trustno1",
            "Passw0rd!", "Welcome1", "Summer2024!", "aaaaaaaa", "11111111", "abcdefgh", "abcd1234", "letmein123",
            "sunshine", "princess1", "football", "baseball", "superman", "qwerty123", "admin123", "changeme",
        ]
    )
    func common(_ text: String) { #expect(!isAccepted(text)) }

    @Test("AUTH-04: the list has more than 3,000 words of a length that could be chosen")
    func list() { #expect(CommonPasswords.count >= 3_000) }

    @Test(
        "AUTH-04: context words are no password, and may be part of one",
        arguments: [
            ("pyairtable", false), ("Airtable2026", false), ("pyairtable!!!", false), ("ada lovelace", false),
            ("lovelace1815", false), ("Analytical1", false), ("countess.of", false), ("countess.of-lovelace", false),
            ("lovelacelovelace", false), ("airtable hums at dawn", true), ("lovelace wrote the first one", true),
        ]
    )
    func context(_ text: String, _ expected: Bool) { #expect(isAccepted(text) == expected) }
}
