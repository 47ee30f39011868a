/// The members of a JSON object, in the order they were written or set.
///
/// Keys are compared by Unicode scalars (`é` precomposed and `é` combined are two keys). Looking a key up is
/// O(1) above two dozen members and a short scan below. Equality ignores order.
public struct JSONObject: Sendable, Hashable {
    public typealias Member = (key: String, value: JSONValue)

    private var members: JSONMembers<JSONValue>

    public init() { members = JSONMembers() }

    /// Members in this order; a key that comes again replaces the value at its first place.
    public init(_ members: some Sequence<Member>) {
        self.init()
        for (key, value) in members { self[key] = value }
    }

    /// Takes members whose keys are known to differ, as the scanner has checked.
    init(distinct list: [Member]) { members = JSONMembers(distinct: list) }

    /// The value at `key`; nil when there is none. Setting nil removes the member, which is O(count).
    public subscript(key: String) -> JSONValue? {
        get { members[key] }
        set { members[key] = newValue }
    }

    public var keys: [String] { members.list.map(\.key) }
    public var values: [JSONValue] { members.list.map(\.value) }

    @discardableResult
    public mutating func removeValue(forKey key: String) -> JSONValue? {
        let removed = members[key]
        members[key] = nil
        return removed
    }

    public static func == (left: Self, right: Self) -> Bool {
        left.count == right.count && left.allSatisfy { right[$0.key] == $0.value }
    }

    public func hash(into hasher: inout Hasher) {
        // The sum doesn't depend on order.
        var sum = 0
        for (key, value) in self {
            var member = Hasher()
            member.combine(JSONKeyTable.hash(key))
            member.combine(value)
            sum &+= member.finalize()
        }
        hasher.combine(count)
        hasher.combine(sum)
    }
}

extension JSONObject: RandomAccessCollection {
    public var startIndex: Int { 0 }
    public var endIndex: Int { members.list.count }
    public subscript(position: Int) -> Member { members.list[position] }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self.init(elements.lazy.map { (key: $0.0, value: $0.1) })
    }
}
