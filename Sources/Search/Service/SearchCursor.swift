import Domain
import Foundation

/// Where a search goes on: which request it belongs to, and which records were shown already.
///
/// The records are named, not counted, so that nothing is shown twice whatever is written between two pages. They are
/// at most what one search proposes, so a cursor is never longer than a few thousand characters. Opaque to callers, and
/// no secret: somebody who forges one only hides hits from themselves.
struct SearchCursor: Hashable {
    /// The records shown so far, by `name(of:)`.
    private(set) var shown: Set<UInt64> = []
    private let request: [UInt8]

    /// Bytes that stand for a record: among some hundred, two have the same with a chance of 10⁻⁷.
    private static let nameBytes = 5
    private static let requestBytes = 8
    private static let version: UInt8 = 1
    private static let bytesMax = 1 + requestBytes + nameBytes * Limits.searchCandidates
    /// Base64 of that.
    static let textCharactersMax = (bytesMax + 2) / 3 * 4

    /// For the first page of `request`.
    init(for request: SearchRequest) {
        self.request = Self.hash(of: request)
    }

    /// What `request.cursor` says; the first page without one.
    ///
    /// - Throws: `invalidCursor` for a text that is none, or one of another request.
    init(of request: SearchRequest) throws(SearchError) {
        self.init(for: request)
        guard let text = request.cursor else { return }
        let standard = text.replacing("-", with: "+").replacing("_", with: "/")
        let padding = String(repeating: "=", count: (4 - standard.utf8.count % 4) % 4)
        guard text.utf8.count <= Self.textCharactersMax, let data = Data(base64Encoded: standard + padding),
            data.first == Self.version
        else { throw .invalidCursor("The cursor is not one that a search answered.") }
        let bytes = Array(data.dropFirst())
        guard bytes.count >= Self.requestBytes, (bytes.count - Self.requestBytes) % Self.nameBytes == 0 else {
            throw .invalidCursor("The cursor is cut or changed.")
        }
        guard Array(bytes.prefix(Self.requestBytes)) == self.request else {
            throw .invalidCursor("The cursor belongs to another search.")
        }
        for start in stride(from: Self.requestBytes, to: bytes.count, by: Self.nameBytes) {
            shown.insert(Self.number(bytes[start..<(start + Self.nameBytes)]))
        }
    }

    var text: String {
        var bytes = [Self.version] + request
        for name in shown.sorted() {
            for shift in stride(from: 8 * (Self.nameBytes - 1), through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: name >> UInt64(shift)))
            }
        }
        return Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing(
            "=",
            with: ""
        )
    }

    func hasShown(_ record: RecordID) -> Bool { shown.contains(Self.name(of: record)) }

    mutating func show(_ record: RecordID) { shown.insert(Self.name(of: record)) }

    /// Everything that decides which records come in which order.
    private static func hash(of request: SearchRequest) -> [UInt8] {
        var parts: [[String]] = [
            [request.query], request.bases ?? ["\u{0}"], request.tables ?? ["\u{0}"], request.fields ?? ["\u{0}"],
            [(request.mode ?? .standard).rawValue], [request.minScore.map { "\($0)" } ?? ""],
        ]
        if let filter = request.filter { parts.append([filter]) }
        let text = parts.map { $0.joined(separator: "\u{1}") }.joined(separator: "\u{2}")
        return Array(ContentHash(of: text).bytes.prefix(requestBytes))
    }

    private static func name(of record: RecordID) -> UInt64 {
        number(ContentHash(of: record.description).bytes.prefix(nameBytes))
    }

    private static func number(_ bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }
}
