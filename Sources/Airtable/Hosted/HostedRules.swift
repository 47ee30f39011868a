/// What we hold to be true of the hosted service where its documentation is silent or vague.
///
/// All such decisions stand here, each with its reason, so that one edit changes them.
public struct HostedRules: Sendable, Hashable {
    /// Calls of one base within `window`, as documented: 5 a second, whoever calls.
    public var callsPerBase = 5
    /// Calls with one token within `window`, over all bases, as documented: 50 a second.
    public var callsPerToken = 50
    /// One second, and a twentieth more: calls that leave a second apart may arrive a little closer, and one refusal
    /// costs `lockout`. A token bucket that refills evenly would let ten calls into one second; here a token comes back
    /// one window after it was taken, so no second sees more than the limit.
    public var window: Duration = .milliseconds(1_050)
    /// After a 429 everything of that base is refused for about this long.
    public var lockout: Duration = .seconds(30)
    /// Comes on top of `lockout`, in part: several processes of one base should not return in the same moment.
    public var lockoutJitter: Duration = .seconds(1)
    /// How often a call is sent that fails for reasons that pass; refusals for the limit do not count.
    public var attemptsMax = 6
    public var backoffBase: Duration = .milliseconds(500)
    public var backoffMax: Duration = .seconds(20)
    /// One exchange, whatever its caller's patience: a page of long texts takes a few seconds.
    public var exchangeTime: Duration = .seconds(30)
    /// While both wait, one bulk call goes after so many interactive ones: a mirror gets on, and nobody notices.
    public var interactiveRunMax = 9

    /// How long a record is answered from memory: somebody else may change it at any time, and who asks again within
    /// seconds is mostly a page being drawn or a model calling the same tool twice.
    public var recordFreshness: Duration = .seconds(5)
    /// How long a schema is: it changes rarely, and each change through us is known at once.
    public var schemaFreshness: Duration = .seconds(60)

    public init() {}

    /// The wait before attempt `attempt + 1`: full jitter, so that what failed together does not return together.
    ///
    /// - Parameter random: in `0..<1`.
    func backoff(afterAttempts attempt: Int, random: Double) -> Duration {
        min(backoffMax, backoffBase * (1 << min(max(attempt - 1, 0), 20))) * random
    }

    /// Whether a status says that the same call may well succeed later. 429 is dealt with apart.
    static func isTransient(status: Int) -> Bool { status == 408 || status >= 500 }

    /// Whether a call that was answered with this status may have done its work all the same. A gateway's 502 says that
    /// the service was not reached; 500 and 503 have been seen after the work was done.
    static func isUncertain(status: Int) -> Bool { status >= 500 && status != 502 }

    /// Whether one bad record may be why a batch was refused, so that its halves are worth trying.
    static func isSeparable(status: Int) -> Bool { [400, 403, 404, 413, 422].contains(status) }
}
