import Access
import Airtable
import Domain
import Logging

extension RouteCall {
    /// Where this server is for its callers.
    var origin: String { services.origin(of: authority, isSecure: client.isSecure) ?? "" }

    /// Makes the addresses of attachments in cells of `fields`; nil when there can be none, and when the key that signs
    /// them cannot be had: then cells are shown without, since records can be read all the same.
    func attachmentAddress(
        _ fields: [Field],
        _ context: Domain.RequestContext
    ) async throws -> AttachmentAddress? {
        guard let attachments = services.attachments, fields.contains(where: \.mayHoldAttachments) else { return nil }
        let links: AttachmentLinks
        do {
            links = try await attachments.links(tenant: context.tenant, origin: origin)
        } catch let error as AccessError {
            context.logger.warning("attachments are shown without links", metadata: ["error": "\(error)"])
            return nil
        }
        // No thumbnail has an address: none is made.
        return { file, thumbnail in thumbnail == nil ? links.address(of: file) : nil }
    }

    /// The request's `Host`, when it is one that may stand in an address.
    static func authority(_ text: String?) -> String? {
        guard let text, !text.isEmpty, text.utf8.count <= 255 else { return nil }
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "-._:[]".utf8.contains(byte)
            }
        }
        return isPlain ? text : nil
    }
}

extension Field {
    /// Whether its cells may name files: its own, or those of others that it gathers.
    fileprivate var mayHoldAttachments: Bool {
        switch type {
        case .multipleAttachments: true
        case .multipleLookupValues, .rollup: options.result?.type == .multipleAttachments
        default: false
        }
    }
}

extension GatewayServices {
    /// - Throws: `notFound` where the server was made without attachments.
    func requireAttachments() throws(GatewayError) -> AttachmentService {
        guard let attachments else { throw GatewayError.notFound }
        return attachments
    }

    /// - Throws: `notFound` where the server was made without webhooks.
    func requireWebhooks() throws(GatewayError) -> WebhookService {
        guard let webhooks else { throw GatewayError.notFound }
        return webhooks
    }
}
