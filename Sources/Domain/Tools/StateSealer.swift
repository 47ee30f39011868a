/// Seals what a program without a session is given to bring back, so that it can come back only as it was, and be used once.
///
/// A seal hides nothing: whoever holds the text may read it. What it is about (whose it is, for which call, until when) is the
/// caller's to put into payload and purpose.
public protocol StateSealer: Sendable {
    /// - Parameters:
    ///   - payload: at most `Limits.requestStateBytes`.
    ///   - purpose: what the text is good for, of any length; it opens for the same purpose only and does not hold it.
    /// - Returns: `v1.` and letters that may stand in an address.
    /// - Throws: `StateSealError.tooLong`; what the key's keeper throws.
    func seal(_ payload: [UInt8], boundTo purpose: [UInt8]) throws -> String

    /// - Throws: `StateSealError.broken` for anything that `seal` did not give for this purpose, under this server's key.
    func open(_ text: String, boundTo purpose: [UInt8]) throws -> [UInt8]

    /// Marks something as used up, for the tenant of `context`.
    ///
    /// - Parameters:
    ///   - nonce: unique in the tenant, 1 to `Limits.nonceBytes` bytes.
    ///   - until: when it is dead anyway, and can be forgotten.
    /// - Returns: true exactly once, over all processes of one database; never from `until` on.
    func spend(_ nonce: String, until: Instant, context: RequestContext) async throws -> Bool
}

/// Why a sealed text could not be made or opened.
public struct StateSealError: Failure, Equatable {
    public enum Code: String, Sendable, CaseIterable {
        case tooLong
        case broken
    }

    public let code: Code
    public let message: String
    public let hint: String?

    public var kind: FailureKind {
        switch code {
        case .tooLong: .tooLarge
        case .broken: .invalid
        }
    }

    public static func tooLong(byteCount: Int) -> Self {
        Self(
            code: .tooLong,
            message: "What is to be kept between two requests has \(byteCount) bytes.",
            hint: "at most \(Limits.requestStateBytes) are kept; keep what it is found by"
        )
    }

    /// Which of the reasons it is stays untold.
    public static let broken = Self(
        code: .broken,
        message: "The request state is not one that this server gave for this request.",
        hint: "send the request again without it"
    )

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}
