extension OutboundBody {
    /// A body that is there already.
    public init(_ bytes: [UInt8]) {
        self.init {
            let rest = OneTime(bytes)
            return { rest.take() }
        }
    }

    /// The whole body.
    ///
    /// - Throws: `replyTooLarge` past `bytesMax`; what iterating throws.
    public func collect(bytesMax: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await piece in self {
            guard bytes.count + piece.count <= bytesMax else {
                throw OutboundError(.replyTooLarge, "a reply is longer than \(bytesMax) bytes")
            }
            bytes += piece
        }
        return bytes
    }

    /// The beginning of the body, and no more of it than that; what goes wrong while reading ends it too. For the
    /// bodies of error replies, of which some text is better than another error.
    public func beginning(bytesMax: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        do {
            for try await piece in self {
                bytes += piece.prefix(bytesMax - bytes.count)
                if bytes.count >= bytesMax { break }
            }
        } catch let error as CancellationError {
            throw error
        } catch {
            return bytes
        }
        return bytes
    }
}
