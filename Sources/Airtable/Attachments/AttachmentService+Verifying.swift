import Access
import Database
public import Domain

/// What reading every stored file showed.
public struct AttachmentReport: Sendable, Hashable {
    public internal(set) var attachments = 0
    /// Contents, each of which several attachments may have.
    public internal(set) var files = 0
    public internal(set) var bytes: Int64 = 0
    /// One sentence each; of many only the first.
    public internal(set) var problems: [String] = []
    public internal(set) var problemCount = 0

    mutating func add(_ problem: String) {
        problemCount += 1
        if problems.count < Self.problemsMax { problems.append(problem) }
    }

    private static let problemsMax = 20
}

extension AttachmentService {
    /// Reads every stored file of the tenant and compares it with its hash.
    public func verify(context: RequestContext) async throws -> AttachmentReport {
        try context.require(.admin)
        var report = AttachmentReport()
        // The state of a content: nil while it was not read, else what is wrong with it.
        var known: [ContentHash: String?] = [:]
        var last: AttachmentID?
        while true {
            let page = try await database.read(of: .tenant(context.tenant), deadline: context.deadline) {
                [store, last] transaction in
                try store.page(after: last, limit: Limits.sweepRows, tenant: context.tenant, in: transaction)
            }
            guard let end = page.last else { return report }
            for attachment in page {
                guard let hash = ContentHash(attachment.contentHash) else { continue }
                report.attachments += 1
                let problem: String?
                if let found = known[hash] {
                    problem = found
                } else {
                    problem = try await Self.blocking { [files] in
                        try Self.problem(hash, attachment.size, files, tenant: context.tenant)
                    }
                    known[hash] = .some(problem)
                    report.files += 1
                    report.bytes += attachment.size
                }
                if let problem { report.add("The file of attachment \(attachment.id) \(problem).") }
            }
            last = end.id
            try Task.checkCancellation()
        }
    }

    private static func problem(
        _ hash: ContentHash,
        _ size: Int64,
        _ files: AttachmentFiles,
        tenant: TenantID
    ) throws -> String? {
        guard let reader = try files.open(hash, tenant: tenant) else { return "is missing" }
        var builder = ContentHash.Builder()
        var offset: Int64 = 0
        while true {
            let piece = try reader.read(Limits.attachmentPieceBytes, at: offset)
            if piece.isEmpty { break }
            builder.add(piece)
            offset += Int64(piece.count)
        }
        guard offset == size else { return "has \(offset) bytes instead of \(size)" }
        return builder.finish() == hash ? nil : "has other bytes than were stored"
    }
}
