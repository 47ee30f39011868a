package import Access
public import Domain

/// Makes and checks the addresses under which a tenant's files are read without a key, for a while.
///
/// `/attachments/TENANT/ATTACHMENT/EXPIRES/SIGNATURE/NAME`: everything but the name is signed; the name is for people
/// and for who takes a file's name from its address. All links made within the same minutes are equal, so that a
/// browser that lists a table twice fetches its pictures once.
public struct AttachmentLinks: Sendable {
    private let key: SigningKey
    private let tenant: TenantID
    /// In front of every path, such as `https://airtable.example.org`; empty for paths alone.
    private let origin: String
    /// Seconds since 1970.
    private let expires: Int64

    /// Links expire up to this much later than they must.
    private static let roundingSeconds: Int64 = 600
    static let label = "attachment-links"

    package init(key: SigningKey, tenant: TenantID, origin: String, now: Instant) {
        self.key = key
        self.tenant = tenant
        self.origin = origin
        let least = now.microseconds / 1_000_000 + Limits.attachmentLinkSeconds
        expires = (least / Self.roundingSeconds + 1) * Self.roundingSeconds
    }

    /// Where the bytes are, for somebody who may see the attachment now.
    public func address(of attachment: Attachment) -> String {
        let signature = Self.hexadecimal(key.signature(of: Self.signed(attachment.id, tenant, expires)))
        let name = AttachmentName.percentEncoded(attachment.filename)
        return "\(origin)/attachments/\(tenant)/\(attachment.id)/\(expires)/\(signature)/\(name)"
    }

    /// Whether a link with these parts was made here and is not over.
    static func accepts(
        _ id: AttachmentID,
        tenant: TenantID,
        expires: String,
        signature: String,
        key: SigningKey,
        now: Instant
    ) -> Bool {
        // As it was written: `+5` and `05` would be other texts with the same signature.
        guard let seconds = Int64(expires), String(seconds) == expires, let bytes = bytes(signature) else {
            return false
        }
        guard key.accepts(bytes, of: signed(id, tenant, seconds)) else { return false }
        return now.microseconds / 1_000_000 < seconds
    }

    private static func signed(_ id: AttachmentID, _ tenant: TenantID, _ expires: Int64) -> [UInt8] {
        Array("\(tenant)/\(id)/\(expires)".utf8)
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func bytes(_ text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count == 64 else { return nil }
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: digits.count, by: 2) {
            guard let high = value(digits[start]), let low = value(digits[start + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    /// Lower case only, as they are written.
    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
