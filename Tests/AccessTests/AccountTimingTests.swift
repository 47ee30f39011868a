import Domain
import Foundation
import TestSupport
import Testing

@testable import Access

/// What the clock shows of refusals, measured: it says nothing on a busy machine, and so runs only when asked for.
@Suite(
    "Time that refusals take",
    .enabled(if: ProcessInfo.processInfo.environment["PYAIRTABLE_LONG"] == "1"),
    .serialized
)
struct AccountTimingTests {
    /// Both in turns, so that whatever else the machine does meets both alike.
    private static func medians(
        rounds: Int,
        _ first: (Int) async throws -> Void,
        _ second: (Int) async throws -> Void
    ) async throws -> (Duration, Duration) {
        var times: ([Duration], [Duration]) = ([], [])
        for round in 0..<rounds {
            times.0.append(try await ContinuousClock().measure { try await first(round) })
            times.1.append(try await ContinuousClock().measure { try await second(round) })
        }
        return (times.0.sorted()[rounds / 2], times.1.sorted()[rounds / 2])
    }

    private static func expectAlike(_ left: Duration, _ right: Duration) {
        let difference = left < right ? right - left : left - right
        #expect(difference < max(.milliseconds(5), max(left, right) / 10), "\(left) and \(right)")
    }

    @Test(
        "AUTH-05: an unknown address and a wrong password take the same time, by the median",
        arguments: DatabaseKind.allCases
    )
    func signingIn(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { fixture in
            _ = try await fixture.register()
            let (known, unknown) = try await Self.medians(rounds: 41) { round in
                fixture.clock.advance(.seconds(1_000))
                await expectRefusal(.signInRefused) {
                    _ = try await fixture.signIn("ada@example.com", "guess \(round)")
                }
            } _: { round in
                fixture.clock.advance(.seconds(1_000))
                await expectRefusal(.signInRefused) {
                    _ = try await fixture.signIn("eve@example.com", "guess \(round)")
                }
            }
            Self.expectAlike(known, unknown)
        }
    }

    @Test(
        "AUTH-06: forgetting and registering take the same time for an address with and without an account",
        arguments: DatabaseKind.allCases
    )
    func asking(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind, AccountSettings(registration: .open, verifiesEmail: true)) { fixture in
            _ = try await fixture.register()
            let token = try AccountFixture.token(in: try await fixture.mails().first)
            try await fixture.service.verify(token: token, caller: fixture.caller())
            let forgot = try await Self.medians(rounds: 41) { _ in
                fixture.clock.advance(.seconds(1_300))
                try await fixture.service.forgot(email: "ada@example.com", caller: fixture.caller())
            } _: { _ in
                try await fixture.service.forgot(email: "eve@example.com", caller: fixture.caller())
            }
            Self.expectAlike(forgot.0, forgot.1)
            let registering = try await Self.medians(rounds: 21) { _ in
                fixture.clock.advance(.seconds(1_300))
                _ = try await fixture.register("ada@example.com")
            } _: { _ in
                _ = try await fixture.register("eve@example.com")
            }
            Self.expectAlike(registering.0, registering.1)
        }
    }
}
