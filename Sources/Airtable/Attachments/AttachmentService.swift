public import Access
public import Database
public import Domain
import Foundation
public import Outbound
import Synchronization

/// Files in cells: takes them in, by address or by their bytes, and gives them out by links that expire.
///
/// Bytes lie in the data directory, once for each content (`AttachmentFiles`); what is known of them in the database
/// (`AttachmentStore`). A file that no cell names any more goes after a while (`sweep`).
public final class AttachmentService: AttachmentSource {
    public static let migrations: [Migration] = [AttachmentStore.migration]

    let database: any SQLDatabase
    let files: AttachmentFiles
    let store = AttachmentStore()
    let now: InstantSource
    private let vault: @Sendable () throws -> CredentialVault
    private let fetcher: AttachmentFetcher
    /// A tenant's key is made from its data key, which takes two reads.
    private let keys = Mutex<[TenantID: SigningKey]>([:])

    /// - Parameters:
    ///   - vault: asked when a link is first made; the master key may not exist before.
    ///   - directory: for the bytes; made when there are some.
    ///   - transport: guards the addresses that users give, see `ForeignCalls`.
    public init(
        database: any SQLDatabase,
        vault: @escaping @Sendable () throws -> CredentialVault,
        directory: String,
        transport: any HTTPTransport,
        now: @escaping InstantSource = { .now() }
    ) {
        self.database = database
        self.vault = vault
        self.files = AttachmentFiles(directory: directory)
        self.fetcher = AttachmentFetcher(transport: transport)
        self.now = now
    }

    // MARK: Taking in

    /// Stores a file that somebody sends. Whether they may write to the base is the caller's to ask.
    ///
    /// - Throws: `.tooLarge` beyond `Limits.uploadBytes`.
    package func add(
        _ bytes: [UInt8],
        filename: String,
        declaredType: String?,
        base: BaseID,
        context: RequestContext
    ) async throws -> Attachment {
        guard bytes.count <= Limits.uploadBytes else {
            throw AirtableError(
                .tooLarge,
                "An uploaded file has at most \(Limits.uploadBytes >> 20) MB, received \(bytes.count) bytes.",
                hint: "larger files are attached by their address"
            )
        }
        let draft = try files.begin()
        try draft.write(bytes)
        return try await admit(
            draft.finish(),
            filename: AttachmentName.cleaned(filename),
            declaredType: declaredType,
            base: base,
            context: context
        )
    }

    /// Stores what lies at an address, under the name given, or the one that its sender or the address gives.
    ///
    /// - Parameter end: when the bytes must have come.
    /// - Throws: `.attachmentsFailed`.
    package func fetch(
        _ url: String,
        filename: String?,
        until end: ContinuousClock.Instant = .now + Limits.attachmentFetchTime,
        base: BaseID,
        context: RequestContext
    ) async throws -> Attachment {
        let fetched = try await fetcher.fetch(url, until: end, into: files)
        return try await admit(
            fetched.file,
            filename: filename.map(AttachmentName.cleaned) ?? fetched.filename ?? AttachmentName.unnamed,
            declaredType: fetched.declaredType,
            base: base,
            context: context
        )
    }

    private func admit(
        _ file: StagedFile,
        filename: String,
        declaredType: String?,
        base: BaseID,
        context: RequestContext
    ) async throws -> Attachment {
        defer { file.discard() }
        let type = MediaType.of(file.head, filename: filename, declared: declaredType)
        let pixels = PictureSize(file.head, type: type)
        let attachment = Attachment(
            id: .random(),
            filename: filename,
            type: type,
            size: file.size,
            width: pixels?.width,
            height: pixels?.height,
            contentHash: file.hash.description
        )
        let (tenant, created) = (context.tenant, now())
        try await Self.blocking { [files] in try files.install(file, tenant: tenant) }
        // Fetching has time of its own, so the request's may be over.
        let deadline = max(context.deadline, .now + Self.storingTime)
        try await database.write(of: .tenant(context.tenant), deadline: deadline) { [files, store] transaction in
            try store.lock(tenant: tenant, in: transaction)
            try files.keep(file, tenant: tenant)
            try store.insert(attachment, base: base, created: created, tenant: tenant, in: transaction)
        }
        return attachment
    }

    /// For one small transaction.
    private static let storingTime = Duration.seconds(10)

    /// The stored attachments that writers name: those given by address are fetched now, a few at a time, all within
    /// `Limits.attachmentFetchTime`.
    ///
    /// Only those of the same base can be named by identifier; others are left out. An identifier is a secret of 83
    /// bits, and whoever knows one has been shown the file.
    ///
    /// - Throws: `.attachmentsFailed` for the first that could not be fetched; `.tooLarge` for too many.
    public func attachments(
        _ inputs: Set<AttachmentInput>,
        base: BaseID,
        context: RequestContext
    ) async throws -> [AttachmentInput: Attachment] {
        var (ids, addresses): ([AttachmentID], [(url: String, filename: String?)]) = ([], [])
        for input in inputs {
            switch input {
            case .existing(let id): ids.append(id)
            case .url(let url, let filename): addresses.append((url, filename))
            }
        }
        guard addresses.count <= Limits.attachmentFetches else {
            throw AirtableError(.tooLarge, "One call fetches at most \(Limits.attachmentFetches) attachments.")
        }
        var found: [AttachmentInput: Attachment] = [:]
        for (id, attachment) in try await named(ids, base: base, context: context) {
            found[.existing(id)] = attachment
        }
        // Last, since it is what takes long and leaves files.
        return try await fetchAll(addresses, base: base, context: context).merging(found) { $1 }
    }

    private func named(
        _ ids: [AttachmentID],
        base: BaseID,
        context: RequestContext
    ) async throws -> [AttachmentID: Attachment] {
        if ids.isEmpty { return [:] }
        return try await database.write(of: .tenant(context.tenant), deadline: context.deadline) {
            [store] transaction in
            try store.lock(tenant: context.tenant, in: transaction)
            try store.noteNamed(ids, tenant: context.tenant, in: transaction)
            return try store.attachments(ids, base: base, tenant: context.tenant, in: transaction)
        }
    }

    /// A few at a time; the first failure ends the others.
    private func fetchAll(
        _ addresses: [(url: String, filename: String?)],
        base: BaseID,
        context: RequestContext
    ) async throws -> [AttachmentInput: Attachment] {
        let end = ContinuousClock.now + Limits.attachmentFetchTime
        return try await withThrowingTaskGroup(of: (AttachmentInput, Attachment).self) { group in
            var waiting = addresses[...]
            func next() {
                guard let (url, filename) = waiting.popFirst() else { return }
                group.addTask {
                    let fetched = try await self.fetch(
                        url,
                        filename: filename,
                        until: end,
                        base: base,
                        context: context
                    )
                    return (.url(url, filename: filename), fetched)
                }
            }
            for _ in 0..<Limits.attachmentFetchesAtOnce { next() }
            var fetched: [AttachmentInput: Attachment] = [:]
            while let (input, attachment) = try await group.next() {
                fetched[input] = attachment
                next()
            }
            return fetched
        }
    }

    // MARK: Giving out

    /// Makes links for a tenant's attachments, without waiting for anything any more.
    ///
    /// - Parameter origin: in front of each, such as `https://airtable.example.org`.
    package func links(tenant: TenantID, origin: String) async throws -> AttachmentLinks {
        AttachmentLinks(key: try await key(of: tenant), tenant: tenant, origin: origin, now: now())
    }

    /// The file that a link leads to. Whoever has the link may read it: there is no other permission.
    ///
    /// - Throws: `.notFound` whatever is wrong with the link; `.corrupt` when the bytes are not there.
    public func open(
        _ id: AttachmentID,
        tenant: TenantID,
        expires: String,
        signature: String
    ) async throws -> AttachmentContent {
        let isGenuine = AttachmentLinks.accepts(
            id,
            tenant: tenant,
            expires: expires,
            signature: signature,
            key: try await knownKey(of: tenant),
            now: now()
        )
        guard isGenuine else { throw Self.noSuchLink }
        let found = try await database.read(of: .tenant(tenant)) { [store] transaction in
            try store.attachment(id, tenant: tenant, in: transaction)
        }
        guard let attachment = found, let hash = ContentHash(attachment.contentHash) else { throw Self.noSuchLink }
        guard let reader = try files.open(hash, tenant: tenant), try reader.byteCount() == attachment.size else {
            throw AirtableError.damaged("attachment \(id)")
        }
        return AttachmentContent(attachment: attachment, reader: reader)
    }

    private static let noSuchLink = AirtableError(
        .notFound,
        "This link is not valid, or no longer.",
        hint: "read the record again to get a new one"
    )

    /// - Throws: `.notFound` for a tenant that does not exist: nobody may have keys made by asking for links.
    private func knownKey(of tenant: TenantID) async throws -> SigningKey {
        if let key = keys.withLock({ $0[tenant] }) { return key }
        let hasAny = try await database.read(of: .tenant(tenant)) { transaction in
            try transaction.firstRow("SELECT 1 FROM attachments WHERE tenant = $1 LIMIT 1", [tenant.sql]) != nil
        }
        guard hasAny else { throw Self.noSuchLink }
        return try await key(of: tenant)
    }

    private func key(of tenant: TenantID) async throws -> SigningKey {
        if let key = keys.withLock({ $0[tenant] }) { return key }
        let key = try await vault().signingKey(for: AttachmentLinks.label, tenant: tenant)
        keys.withLock { keys in
            if keys.count >= Limits.cachedSchemas { keys.removeAll() }
            keys[tenant] = key
        }
        return key
    }

    // MARK: Shared

    /// Runs what waits for the disk on a thread that may.
    static func blocking<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result(catching: body)) }
        }
    }
}
