import Domain
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Access

extension PasswordCost {
    /// The least that is accepted: tests hash often.
    static let least = PasswordCost(memoryKiB: Limits.passwordMemoryKiBMin, passes: Limits.passwordPassesMin)
}

@Suite("Hashes of passwords")
struct PasswordHashTests {
    private let hasher = PasswordHasher(cost: .least, threads: 2)

    @Test("AUTH-01: a hash is Argon2id as a PHC string with its own salt, and verifies its password alone")
    func roundTrip() async throws {
        let password = Password("correct horse battery staple")
        let first = try await hasher.hash(password)
        let second = try await hasher.hash(password)
        #expect(first.hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$"))
        #expect(first != second)
        guard case .argon2id(let cost, let salt, let digest) = try #require(PasswordHash(first)) else { return }
        #expect(cost == .least)
        #expect(salt.count == 16 && digest.count == 32)
        #expect(try await hasher.verify(password, against: first) == .right(isOld: false))
        for other in [
            "correct horse battery stapl", "correct horse battery staple ", "Correct horse battery staple", "",
        ] {
            #expect(try await hasher.verify(Password(other), against: first) == .wrong, "\(other)")
        }
    }

    @Test("AUTH-01: the default is 64 MiB and 3 passes, and less than 19 MiB and 2 passes cannot be asked for")
    func costs() {
        #expect(PasswordCost() == PasswordCost(memoryKiB: 65_536, passes: 3))
        #expect(PasswordCost().lanes == 1)
        #expect(Limits.passwordMemoryKiBMin == 19_456)
        #expect(Limits.passwordPassesMin == 2)
    }

    // The first is of the reference implementation's own tests, the others of libxcrypt called from elsewhere.
    @Test(
        "AUTH-01: hashes that other programs made verify, and are old when they are weaker or bcrypt",
        arguments: [
            (
                "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
                "password", true
            ),
            ("$2b$05$abcdefghijklmnopqrstuuWHxnxkyNt6AHCwFMQaY6auyqJA8E98a", "hello", true),
            ("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U", true),
            ("$2y$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK", "U*U*", true),
        ]
    )
    func foreign(_ stored: String, _ text: String, _ isOld: Bool) async throws {
        let strict = PasswordHasher(threads: 1)
        #expect(try await strict.verify(Password(text), against: stored) == .right(isOld: isOld))
        #expect(try await strict.verify(Password(text + "x"), against: stored) == .wrong)
    }

    @Test("AUTH-01: parameters that fell behind make a hash old, better ones do not")
    func aging() throws {
        let salt = [UInt8](repeating: 1, count: 16)
        let digest = [UInt8](repeating: 2, count: 32)
        func isOld(_ memory: Int, _ passes: Int, lanes: Int = 1, salt: [UInt8] = salt) -> Bool {
            let cost = PasswordCost(unchecked: memory, passes: passes, lanes: lanes)
            let text = PasswordHash.argon2id(cost: cost, salt: salt, digest: digest).text
            return PasswordHash(text)!.isOlder(than: PasswordCost())
        }
        #expect(!isOld(65_536, 3))
        #expect(!isOld(131_072, 4))
        #expect(isOld(65_535, 3))
        #expect(isOld(65_536, 2))
        #expect(isOld(65_536, 3, lanes: 2))
        #expect(isOld(65_536, 3, salt: Array(salt.prefix(8))))
    }

    @Test(
        "what is no hash, or asks for more work than a sign-in may be, is refused as damage and takes its time",
        arguments: [
            "", "plain", "$argon2i$v=19$m=65536,t=3,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=16$m=65536,t=3,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=4194304,t=3,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=65536,t=4000000000,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=65536,t=3,p=200$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$t=3,m=65536,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=65536,t=3,p=1$c29tZXNhbHQ$CTFhFdXPJO1a!aMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=65536,t=3,p=1$c29tZXNhbHQ",
            "$2b$31$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui",
            "$2b$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBu", "$1$abcdefgh$RR8mQFIzHrBBMp4ZAaZ5h0",
        ]
    )
    func damaged(_ stored: String) async throws {
        await expectRefusal(.corrupt) { _ = try await hasher.verify(Password("password"), against: stored) }
        #expect(hasher.load.finished == 1)
    }

    @Test("bcrypt: a password that holds U+0000 is not cut there, and beyond 72 bytes nothing is replaced")
    func bcryptEdges() async throws {
        let stored = "$2b$05$abcdefghijklmnopqrstuuWHxnxkyNt6AHCwFMQaY6auyqJA8E98a"
        #expect(try await hasher.verify(Password("hello\0world"), against: stored) == .wrong)
        let long = String(repeating: "0123456789", count: 8)
        let hashed = Self.longHash
        #expect(try await hasher.verify(Password(String(long.prefix(72))), against: hashed) == .right(isOld: true))
        #expect(try await hasher.verify(Password(long), against: hashed) == .right(isOld: false))
        #expect(try await hasher.verify(Password(String(long.prefix(71))), against: hashed) == .wrong)
    }

    /// Of the ten digits repeated up to 72 characters and more.
    private static let longHash = "$2b$05$abcdefghijklmnopqrstuuLkMZtUsVwf9Ptg/wgiNv8ZhtnAHnix."

    @Test("AUTH-03: NFC: what two keyboards spell differently is one password; nothing is cut, trimmed or folded")
    func normalisation() async throws {
        let stored = try await hasher.hash(Password("cafe\u{301} de flore"))
        #expect(try await hasher.verify(Password("caf\u{e9} de flore"), against: stored) == .right(isOld: false))
        for other in ["cafe de flore", "caf\u{e9} de flore ", " caf\u{e9} de flore", "CAF\u{c9} DE FLORE"] {
            #expect(try await hasher.verify(Password(other), against: stored) == .wrong)
        }
        let long = String(repeating: "\u{1F600}", count: 128)
        let whole = try await hasher.hash(Password(long))
        #expect(try await hasher.verify(Password(String(long.dropLast())), against: whole) == .wrong)
        let null = try await hasher.hash(Password("before\0after"))
        #expect(try await hasher.verify(Password("before\0other"), against: null) == .wrong)
        #expect(try await hasher.verify(Password("before"), against: null) == .wrong)
    }

    @Test("AUTH-05: without a stored hash, and for a password that can be nobody's, the work is done all the same")
    func decoy() async throws {
        #expect(try await hasher.verify(Password("anything at all"), against: nil) == .wrong)
        #expect(hasher.load.finished == 1)
        let stored = try await hasher.hash(Password("anything at all"))
        let huge = Password(String(repeating: "x", count: 600))
        #expect(try await hasher.verify(huge, against: stored) == .wrong)
        #expect(hasher.load.finished == 3)
    }

    @Test("a password prints as nothing")
    func redaction() {
        let password = Password("correct horse")
        var dumped = ""
        dump(password, to: &dumped)
        #expect(!"\(password) \(String(reflecting: password)) \(dumped)".contains("correct"))
    }
}

/// Counts from anywhere.
final class Tally: Sendable {
    private let state = Mutex(0)

    var count: Int { state.withLock { $0 } }
    func add() { state.withLock { $0 += 1 } }
}

@Suite("The pool that hashes passwords")
struct HashingPoolTests {
    @Test("AUTH-02: at most N run at once, a bounded number waits, and the rest of a flood is refused at once")
    func flood() async throws {
        let pool = HashingPool(threads: 2, queueLimit: 5)
        let gate = DispatchSemaphore(value: 0)
        let refusals = Tally()
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<100 {
                group.addTask {
                    do {
                        // As long as a hash would take, however long that is.
                        return try await pool.run {
                            gate.wait()
                            return true
                        }
                    } catch let error as AccessError {
                        #expect(error.code == .busy && error.kind == .busy)
                        refusals.add()
                        return false
                    }
                }
            }
            // Two run, five wait; everybody else has been told before any of these end.
            while refusals.count < 93 { await Task.yield() }
            while pool.load.running < 2 { await Task.yield() }
            for _ in 0..<7 { gate.signal() }
            var done = 0
            for try await isDone in group where isDone { done += 1 }
            #expect(done == 7)
        }
        #expect(pool.load.runningMax == 2)
        #expect(pool.load.refused == 93)
        #expect(pool.load.waiting == 0)
    }

    @Test("AUTH-02: real hashes: a flood of 60 never has more than two in memory")
    func realFlood() async throws {
        let hasher = PasswordHasher(cost: .least, threads: 2, queueLimit: 10)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<60 {
                group.addTask { _ = try? await hasher.verify(Password("flood"), against: nil) }
            }
        }
        let load = hasher.load
        #expect(load.runningMax <= 2)
        #expect(load.finished + load.refused == 60)
        #expect(load.finished >= 12)
        #expect(load.running == 0 && load.waiting == 0)
    }

    @Test("who is cancelled while waiting leaves the queue, and their place is free")
    func cancelling() async throws {
        let pool = HashingPool(threads: 1, queueLimit: 1)
        let gate = DispatchSemaphore(value: 0)
        async let first: Void = pool.run { gate.wait() }
        while pool.load.running < 1 { await Task.yield() }
        let second = Task { try await pool.run { true } }
        while pool.load.waiting < 1 { await Task.yield() }
        await expectRefusal(.busy) { _ = try await pool.run { true } }
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        #expect(pool.load.waiting == 0)
        async let third = pool.run { 3 }
        while pool.load.waiting < 1 { await Task.yield() }
        gate.signal()
        try await first
        #expect(try await third == 3)
    }
}
