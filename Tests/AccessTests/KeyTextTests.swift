import Domain
import Testing

@testable import Access

@Suite("Text of an API key")
struct KeyTextTests {
    private static func make() throws -> KeyText {
        var generator = SystemRandomNumberGenerator()
        return KeyText(id: .random(), using: &generator)
    }

    @Test("KEY-01: has prefix, environment, identifier, a secret of at least 160 bits and a checksum")
    func form() throws {
        let key = try Self.make()
        let text = key.secret.revealed
        let parts = text.split(separator: "_")
        #expect(parts.count == 4)
        #expect(parts[0] == "pat")
        #expect(parts[1] == "live")
        #expect("key" + parts[2] == key.id.description)
        #expect(parts[3].count == KeyText.secretLength + KeyText.checksumLength)
        #expect(text.utf8.count == KeyText.byteCount)
        // log2(62) = 5.954 bits a character.
        #expect(Double(KeyText.secretLength) * 5.954 >= 160)
        #expect(text.hasSuffix(key.lastFour))
    }

    @Test("is read back to the same identifier and digest")
    func roundTrip() throws {
        for _ in 0..<100 {
            let key = try Self.make()
            let read = try #require(KeyText(key.secret.revealed))
            #expect(read.id == key.id)
            #expect(read.digest == key.digest)
            #expect(read.digest.count == 32)
        }
    }

    @Test("no two keys share a secret or a digest")
    func distinct() throws {
        let keys = try (0..<1_000).map { _ in try Self.make() }
        #expect(Set(keys.map(\.digest)).count == keys.count)
        #expect(Set(keys.map { $0.secret.revealed.dropFirst(24) }).count == keys.count)
    }

    @Test("the checksum is CRC-32 as zlib and PNG have it")
    func checksum() {
        // The check value of the catalogue of CRC algorithms, entry CRC-32/ISO-HDLC.
        #expect(crc32(Array("123456789".utf8)) == 0xCBF4_3926)
        #expect(crc32([UInt8]()) == 0)
        // 0xCBF43926 = 3421780262 in base 62 with the digits 0-9 A-Z a-z.
        #expect(KeyText.checksum(of: Array("123456789".utf8)) == Array("3jZRME".utf8))
        #expect(KeyText.checksum(of: [UInt8]()) == Array("000000".utf8))
    }

    @Test("KEY-01: every single changed character is noticed")
    func changed() throws {
        let text = Array(try Self.make().secret.revealed.utf8)
        for position in text.indices {
            for replacement in Array("0aZ_-~ é".utf8) where replacement != text[position] {
                var changed = text
                changed[position] = replacement
                #expect(KeyText(String(decoding: changed, as: UTF8.self)) == nil)
            }
        }
    }

    @Test(
        "anything else is no key",
        arguments: [
            "", " ", "pat_", "pat_live_", "Basic dXNlcjpwYXNz", "Bearer x", "null", "\u{0}", "🔑",
            "pat_live_00000000000000_00000000000000000000000000000000000000",
            "pat_test_00000000000000_00000000000000000000000000000000000000",
            String(repeating: "a", count: KeyText.byteCount), String(repeating: "\u{301}", count: 31),
        ]
    )
    func malformed(_ text: String) {
        #expect(KeyText(text) == nil)
    }

    @Test("a key with something around it is no key")
    func padded() throws {
        let text = try Self.make().secret.revealed
        #expect(KeyText(text + " ") == nil)
        #expect(KeyText("\n" + text) == nil)
        #expect(KeyText(text.uppercased()) == nil)
        #expect(KeyText("Bearer " + text) == nil)
    }

    @Test("KEY-01: comparison in constant time agrees with equality")
    func constantTime() {
        let samples: [[UInt8]] = [[], [0], [1], [0, 0], [1, 2, 3], [1, 2, 4], [3, 2, 1]]
        for left in samples {
            for right in samples { #expect(isEqualInConstantTime(left, right) == (left == right)) }
        }
    }
}

@Suite("Secret")
struct SecretTests {
    @Test("KEY-03: shows itself nowhere")
    func redacted() {
        let secret = Secret("hunter2-hunter2")
        var dumped = ""
        dump([secret], to: &dumped)
        dump(IssuedKeyLike(secret: secret), to: &dumped)
        let printed = "\(secret) \(String(describing: secret)) \(String(reflecting: secret)) \([secret]) \(dumped)"
        #expect(!printed.contains("hunter2"))
        #expect(printed.contains("<redacted>"))
        #expect(secret.revealed == "hunter2-hunter2")
        #expect(secret.revealedBytes == Array("hunter2-hunter2".utf8))
        #expect(secret.byteCount == 15)
    }

    @Test("is equal by content")
    func equality() {
        #expect(Secret("a") == Secret("a"))
        #expect(Secret("a") != Secret("b"))
        #expect(Secret("") == Secret(bytes: []))
        #expect(Secret("a") != Secret(""))
    }

    private struct IssuedKeyLike { let secret: Secret }
}
