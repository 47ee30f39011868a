/// So many requests in so many seconds.
public struct RateQuota: Sendable, Hashable, CustomStringConvertible {
    public let count: Int
    public let seconds: Int

    /// Nil for none, and for more than can be counted.
    public init?(count: Int, seconds: Int) {
        guard (1...1_000_000_000).contains(count), (1...86_400).contains(seconds) else { return nil }
        self.count = count
        self.seconds = seconds
    }

    /// Reads `600/60`: 600 requests in a minute.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let count = Int(parts[0]), let seconds = Int(parts[1]) else { return nil }
        self.init(count: count, seconds: seconds)
    }

    public var description: String { "\(count)/\(seconds)" }
}

/// How many requests a client address, a caller and a tenant may make. A limit that is not named is none.
public struct RequestLimits: Sendable, Hashable, CustomStringConvertible {
    /// Of one client address, before anybody is asked who they are.
    var address: RateQuota?
    /// Of one caller: a key, or a user's session. `auth` is counted by client address.
    var caller: [CostClass: RateQuota] = [:]
    /// Of all callers of a tenant together.
    var tenant: [CostClass: RateQuota] = [:]

    /// Nothing is limited.
    public static let off = RequestLimits()

    /// For a server on the Internet: what a busy person or a script in earnest does, and no flood.
    public static let standard = parsed(
        "address=6000/60,auth=60/60,read=1200/60,write=600/60,search=300/60,model=60/60,"
            + "tenant.read=12000/60,tenant.write=6000/60,tenant.search=3000/60,tenant.model=600/60"
    )

    /// For a server that only its own machine reaches: counted and told, and out of everybody's way.
    public static let generous = parsed(
        "address=2000000/10,auth=6000/60,read=1000000/10,write=1000000/10,search=1000000/10,model=1000000/10"
    )

    /// Reads `off`, `standard`, `generous`, or one of them followed by what differs: `standard,read=100/60,tenant.model=off`.
    public init?(_ text: String) {
        var limits = RequestLimits()
        for (place, part) in text.split(separator: ",", omittingEmptySubsequences: false).enumerated() {
            let part = part.filter { $0 != " " }
            switch part {
            case "off" where place == 0: limits = .off
            case "standard" where place == 0: limits = .standard
            case "generous" where place == 0: limits = .generous
            default: guard limits.read(part) else { return nil }
            }
        }
        self = limits
    }

    private init() {}

    private mutating func read(_ part: String) -> Bool {
        let sides = part.split(separator: "=", omittingEmptySubsequences: false)
        guard sides.count == 2 else { return false }
        let quota = sides[1] == "off" ? nil : RateQuota(sides[1])
        guard quota != nil || sides[1] == "off" else { return false }
        if sides[0] == "address" {
            address = quota
            return true
        }
        let isTenant = sides[0].hasPrefix("tenant.")
        guard let cost = CostClass(rawValue: String(isTenant ? sides[0].dropFirst(7) : sides[0])), cost != .free,
            !(isTenant && cost == .auth)
        else { return false }
        if isTenant { tenant[cost] = quota } else { caller[cost] = quota }
        return true
    }

    private static func parsed(_ text: String) -> RequestLimits {
        var limits = RequestLimits()
        for part in text.split(separator: ",") {
            precondition(limits.read(String(part)), "no limit reads \(part)")
        }
        return limits
    }

    public var description: String {
        var parts: [String] = address.map { ["address=\($0)"] } ?? []
        for cost in CostClass.allCases { if let quota = caller[cost] { parts.append("\(cost.rawValue)=\(quota)") } }
        for cost in CostClass.allCases {
            if let quota = tenant[cost] { parts.append("tenant.\(cost.rawValue)=\(quota)") }
        }
        return parts.isEmpty ? "off" : parts.joined(separator: ",")
    }
}
