public import Domain

/// Who stores the bytes of attachments, as writing records needs it.
public protocol AttachmentSource: Sendable {
    /// The stored attachment of each of `inputs`: those given by address fetched now, those by identifier looked up.
    ///
    /// Called before the write's transaction, so that no lock is held while a file is fetched; when the write then
    /// fails, what was fetched is named by no cell. What is left out of the answer makes the write fail, unless it is
    /// an attachment that the written cell holds already.
    func attachments(
        _ inputs: Set<AttachmentInput>,
        base: BaseID,
        context: RequestContext
    ) async throws -> [AttachmentInput: Attachment]
}
