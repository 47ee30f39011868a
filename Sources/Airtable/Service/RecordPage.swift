public import Domain

/// Where a listing goes on: after one record, whether or not that still exists.
///
/// The text is opaque to callers and bound to its table.
public struct RecordCursor: Sendable, Hashable, LosslessStringConvertible {
    let position: Int64
    /// In a base of the hosted service that is not mirrored: the service's own offset.
    let hostedOffset: String?

    init(position: Int64) {
        self.position = position
        hostedOffset = nil
    }

    init(hostedOffset: String) {
        position = 0
        self.hostedOffset = hostedOffset
    }

    /// Nil unless `text` is a cursor's.
    public init?(_ text: String) {
        if text.hasPrefix(Self.hostedPrefix), text.utf8.count <= Limits.hostedOffsetBytes {
            self.init(hostedOffset: String(text.dropFirst(Self.hostedPrefix.count)))
            return
        }
        guard text.hasPrefix("itr"), text.utf8.count <= 16, text.utf8.dropFirst(3).allSatisfy({ $0 < 0x80 }),
            let position = Int64(text.dropFirst(3), radix: 36), position > 0,
            Self(position: position).description == text
        else { return nil }
        self.init(position: position)
    }

    public var description: String {
        hostedOffset.map { Self.hostedPrefix + $0 } ?? "itr" + String(position, radix: 36)
    }

    private static let hostedPrefix = "hosted:"
}

public struct RecordPageRequest: Sendable, Hashable {
    /// 1 to 1,000.
    public var limit: Int
    public var after: RecordCursor?

    public init(limit: Int = Limits.pageRecords, after: RecordCursor? = nil) {
        self.limit = limit
        self.after = after
    }
}

/// Records in the order they were made.
public struct RecordPage: Sendable, Hashable {
    public let records: [Record]
    /// Nil on the last page.
    public let next: RecordCursor?
}
