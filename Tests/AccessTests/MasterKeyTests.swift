import Domain
import Foundation
import TestSupport
import Testing

@testable import Access

@Suite("Master key")
struct MasterKeyTests {
    private static let hexadecimal = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
    private static let base64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

    private static func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require(attributes[.posixPermissions] as? Int)
    }

    private static func refusal(_ body: () throws -> Void) -> AccessError? {
        do {
            try body()
            return nil
        } catch {
            return error as? AccessError
        }
    }

    @Test("is made once, readable by its owner alone")
    func made() async throws {
        try await withTemporaryDirectory { url in
            let first = try MasterKey.load(directory: url.path)
            let second = try MasterKey.load(directory: url.path)
            #expect(first.fingerprint == second.fingerprint)
            #expect(try Self.mode("\(url.path)/keys") == 0o700)
            #expect(try Self.mode("\(url.path)/keys/master") == 0o600)
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(url.path)/keys") == ["master"])
        }
    }

    @Test("is the same for all that start at once")
    func race() async throws {
        try await withTemporaryDirectory { url in
            let path = url.path
            let fingerprints = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<16 { group.addTask { try MasterKey.load(directory: path).fingerprint } }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(fingerprints.count == 1)
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(path)/keys") == ["master"])
        }
    }

    @Test(
        "OPS-01: is refused when others may read it, with the command that mends it",
        arguments: [0o640, 0o604, 0o620, 0o666]
    )
    func exposedFile(_ mode: Int) async throws {
        try await withTemporaryDirectory { url in
            _ = try MasterKey.load(directory: url.path)
            let path = "\(url.path)/keys/master"
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            let error = try #require(Self.refusal { _ = try MasterKey.load(directory: url.path) })
            #expect(error.code == .masterKeyExposed)
            #expect(error.kind == .notConfigured)
            #expect(error.hint == "chmod 600 '\(path)'")
        }
    }

    @Test("is refused when others may enter its directory")
    func exposedDirectory() async throws {
        try await withTemporaryDirectory { url in
            _ = try MasterKey.load(directory: url.path)
            let path = "\(url.path)/keys"
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
            let error = try #require(Self.refusal { _ = try MasterKey.load(directory: url.path) })
            #expect(error.code == .masterKeyExposed)
            #expect(error.hint == "chmod 700 '\(path)'")
        }
    }

    @Test("comes from the environment when it is there")
    func environment() async throws {
        try await withTemporaryDirectory { url in
            let expected = try MasterKey(text: Secret(Self.hexadecimal), source: "the test").fingerprint
            let value = try MasterKey.load(directory: url.path, environmentValue: Secret(Self.base64))
            #expect(value.fingerprint == expected)

            let path = "\(url.path)/elsewhere"
            try Data("\(Self.hexadecimal)\n".utf8).write(to: URL(fileURLWithPath: path))
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
            #expect(try MasterKey.load(directory: url.path, environmentFile: path).fingerprint == expected)
            #expect(!FileManager.default.fileExists(atPath: "\(url.path)/keys"))

            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
            let exposed = Self.refusal { _ = try MasterKey.load(directory: url.path, environmentFile: path) }
            #expect(exposed?.code == .masterKeyExposed)
            let missing = Self.refusal { _ = try MasterKey.load(directory: url.path, environmentFile: path + "x") }
            #expect(missing?.code == .masterKeyUnusable)
            let directory = Self.refusal { _ = try MasterKey.load(directory: url.path, environmentFile: url.path) }
            #expect(directory?.code == .masterKeyUnusable)
        }
    }

    @Test(
        "OPS-01: is 32 bytes as hexadecimal or Base64, and no example",
        arguments: [
            "", "secret", "changeme", String(hexadecimal.dropLast()), hexadecimal + "0", String(base64.dropLast(2)),
            String(repeating: "0", count: 64), String(repeating: "A", count: 43) + "=",
            String(repeating: "g", count: 64), String(repeating: "é", count: 32), base64.replacing("=", with: "+"),
            base64.replacing("8=", with: "9="),
        ]
    )
    func wrongForm(_ text: String) throws {
        let error = try #require(Self.refusal { _ = try MasterKey(text: Secret(text), source: "the test") })
        #expect(error.code == .masterKeyUnusable)
        #expect(text.isEmpty || !"\(error)".contains(text))
    }

    @Test("both forms give the same key, line ends and spaces aside")
    func forms() throws {
        let texts = [
            Self.hexadecimal, Self.hexadecimal.uppercased(), Self.base64, " \(Self.base64)\r\n",
            "\(Self.base64.dropLast())",
        ]
        let fingerprints = try texts.map { try MasterKey(text: Secret($0), source: "the test").fingerprint }
        #expect(Set(fingerprints).count == 1)
    }

    @Test("a file cut short by a crash is refused, not replaced")
    func cut() async throws {
        try await withTemporaryDirectory { url in
            _ = try MasterKey.load(directory: url.path)
            let path = "\(url.path)/keys/master"
            let whole = try Data(contentsOf: URL(fileURLWithPath: path))
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            try file.truncate(atOffset: UInt64(whole.count / 2))
            try file.close()
            let error = try #require(Self.refusal { _ = try MasterKey.load(directory: url.path) })
            #expect(error.code == .masterKeyUnusable)
            #expect(error.message.contains(path))
        }
    }

    @Test("a made key is written as it is read")
    func written() throws {
        for _ in 0..<50 {
            let key = MasterKey.random()
            let text = Secret(bytes: key.fileText)
            #expect(try MasterKey(text: text, source: "the test").fingerprint == key.fingerprint)
            #expect(text.byteCount == 45)
        }
    }

    @Test("OPS-03: shows itself nowhere")
    func redacted() throws {
        let key = try MasterKey(text: Secret(Self.hexadecimal), source: "the test")
        var dumped = ""
        dump(key, to: &dumped)
        let printed = "\(key) \(String(reflecting: key)) \(dumped)"
        #expect(!printed.contains("AAECAw"))
        #expect(!printed.contains("00010203"))
        #expect(!printed.contains("32 bytes"))
    }
}
