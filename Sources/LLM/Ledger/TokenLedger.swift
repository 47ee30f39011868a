public import Database
public import Domain
public import Logging

/// How many tokens may be used in a day (UTC); nil for as many as one likes.
public struct TokenCaps: Sendable, Hashable {
    public var perUser: Int?
    public var perTenant: Int?

    public init(perUser: Int? = nil, perTenant: Int? = nil) {
        self.perUser = perUser
        self.perTenant = perTenant
    }
}

/// Accounts for every token that a provider bills, on one path: reserve the maximum before, settle the use after.
///
/// What is reserved counts as used until it is settled, so calls at the same time cannot pass a cap together. A
/// reservation that nobody settles, because its process died, counts at its maximum once it has expired: how much of it
/// was billed is unknown, and a cap must hold.
public struct TokenLedger: Sendable {
    let store: TokenStore
    let caps: TokenCaps
    let now: InstantSource
    let logger: Logger

    public init(
        database: any SQLDatabase,
        caps: TokenCaps = TokenCaps(),
        now: @escaping InstantSource = { .now() },
        logger: Logger
    ) {
        store = TokenStore(database: database)
        self.caps = caps
        self.now = now
        self.logger = logger
    }

    public static var migrations: [Migration] { TokenStore.migrations }

    /// Reserves what a call may cost at most, and lowers its output to what the caps leave.
    ///
    /// - Parameter expiry: when the call is certainly over.
    /// - Throws: `ModelError` `capReached` when there is no room for a turn worth beginning.
    public func reserve(
        _ demand: TokenDemand,
        run: RunID?,
        expiry: Duration,
        context: RequestContext
    ) async throws -> TokenReservation {
        let time = now()
        let seconds = expiry.components.seconds + 60
        let outcome = try await store.reserve(
            demand,
            caps: caps,
            run: run,
            user: context.principal.user,
            time: time,
            expires: Instant(microseconds: time.microseconds + seconds * 1_000_000),
            tenant: context.tenant,
            deadline: context.deadline
        )
        switch outcome {
        case .reserved(let reservation): return reservation
        case .refused(let cap, let isUsers): throw Self.refusal(cap, isUsers, time)
        }
    }

    /// Counts what a call really cost and gives the rest back. Harmless when repeated.
    ///
    /// Does not fail: a database that cannot be reached leaves the reservation to expire, which is the safe side.
    public func settle(_ reservation: TokenReservation, usage: TokenUsage) async {
        if usage.total > reservation.tokens {
            logger.warning(
                "a call cost more tokens than were reserved",
                metadata: ["reserved": "\(reservation.tokens)", "used": "\(usage.total)"]
            )
        }
        let store = store
        // What a call cost has to be written down when the call was cancelled too. Owner: this method, which waits;
        // bounded by the deadline.
        let settling = Task {
            try await store.settle(reservation, usage: usage, deadline: .now + Self.settleTime)
        }
        do { try await settling.value } catch {
            logger.error(
                "a token reservation could not be settled and will count at its maximum",
                metadata: ["error": "\(error)", "tokens": "\(reservation.tokens)"]
            )
        }
    }

    /// Counts what dead processes left reserved, at its maximum. Call it at start, and now and then.
    ///
    /// - Returns: how many reservations that were.
    @discardableResult
    public func settleExpired(tenant: TenantID) async throws -> Int {
        try await store.settleExpired(time: now(), tenant: tenant)
    }

    /// What the caller, or with `wholeTenant` everybody in the tenant, used on the day of `time` (UTC).
    public func used(
        on time: Instant,
        wholeTenant: Bool = false,
        context: RequestContext
    ) async throws -> TokenDay {
        try await store.used(
            day: TokenStore.day(of: time),
            user: wholeTenant ? nil : context.principal.user,
            tenant: context.tenant,
            deadline: context.deadline
        )
    }

    private static let settleTime = Duration.seconds(10)

    private static func refusal(_ cap: Int, _ isUsers: Bool, _ time: Instant) -> ModelError {
        let day = Int64(86_400) * 1_000_000
        let left = (time.microseconds / day + 1) * day - time.microseconds
        let whose = isUsers ? "your" : "this installation's"
        return ModelError(
            .capReached,
            "\(whose) tokens of today are used up: the cap is \(cap)",
            hint: "they are counted anew from midnight, UTC",
            retryAfter: .microseconds(left)
        )
    }
}

/// What a call may cost at most.
public struct TokenDemand: Sendable, Hashable {
    public var input: Int
    public var output: Int
    /// Below this the call is not worth making.
    public var outputMin: Int
    /// How often the provider may bill it.
    public var attempts: Int

    public init(input: Int, output: Int, outputMin: Int = Limits.turnOutputTokensMin, attempts: Int = 1) {
        self.input = max(input, 0)
        self.output = max(output, 0)
        self.outputMin = min(outputMin, self.output)
        self.attempts = max(attempts, 1)
    }

    func tokens(output: Int) -> Int { attempts * (input + output) }
}

/// Tokens that are set aside for one call.
public struct TokenReservation: Sendable, Hashable {
    public let id: String
    public let tenant: TenantID
    public let user: UserID
    /// Days since 1970-01-01, UTC: the use counts on the day it was reserved.
    public let day: Int
    public let tokens: Int
    /// At most what was demanded.
    public let outputTokensMax: Int
}

/// What was used in a day.
public struct TokenDay: Sendable, Hashable {
    public var usage = TokenUsage()
    /// Set aside for calls that are not over.
    public var reserved = 0
    /// Reserved by calls whose process died: counted, though perhaps not billed.
    public var lost = 0

    /// What caps count.
    public var total: Int { usage.total + reserved + lost }
}
