public import Domain

/// What became of one record of a write.
public typealias HostedOutcome<Value> = Result<Value, AirtableError>

/// Where and how records are written.
public struct HostedTarget: Sendable, Hashable {
    public var base: BaseID
    /// Name or identifier.
    public var table: String
    public var typecast: Bool
    public var returnFieldsByFieldID: Bool

    public init(
        base: BaseID,
        table: String,
        typecast: Bool = false,
        returnFieldsByFieldID: Bool = false
    ) {
        self.base = base
        self.table = table
        self.typecast = typecast
        self.returnFieldsByFieldID = returnFieldsByFieldID
    }
}

/// Whether the records of one call stand or fall together.
public enum HostedAtomicity: Sendable, Hashable {
    /// Each on its own: any number, sent in tens with whatever else waits; one that is refused harms no other.
    case each
    /// All or none: at most ten, as in one call of the API itself.
    case together
}

extension HostedClient {
    /// Makes records.
    ///
    /// - Returns: an outcome for each draft, in order. `WRITE_UNCERTAIN` says that a record may have been made.
    /// - Throws: `CancellationError`; `invalidRequest` for more than ten together.
    public func create(
        _ drafts: [JSONObject],
        in target: HostedTarget,
        atomicity: HostedAtomicity = .each,
        _ call: HostedCall
    ) async throws -> [HostedOutcome<HostedRecord>] {
        let items = drafts.map { HostedWrite.Item(fields: $0) }
        return try await write(items, .create, target, atomicity, call) { json, _ in HostedRecord(json) }
    }

    /// Sets cells of records; null clears one.
    ///
    /// - Parameter isReplacing: clears every editable cell that is not named.
    public func update(
        _ updates: [RecordUpdate],
        in target: HostedTarget,
        isReplacing: Bool = false,
        atomicity: HostedAtomicity = .each,
        _ call: HostedCall
    ) async throws -> [HostedOutcome<HostedRecord>] {
        let items = updates.map { HostedWrite.Item(id: $0.id, fields: $0.fields) }
        return try await write(items, .update(isReplacing: isReplacing), target, atomicity, call) { json, _ in
            HostedRecord(json)
        }
    }

    /// Updates the record with the same values in `mergeOn`, or makes one.
    public func upsert(
        _ upserts: [RecordUpsert],
        mergeOn: [String],
        in target: HostedTarget,
        isReplacing: Bool = false,
        atomicity: HostedAtomicity = .each,
        _ call: HostedCall
    ) async throws -> [HostedOutcome<HostedUpsert>] {
        let items = upserts.map { HostedWrite.Item(id: $0.id, fields: $0.fields) }
        let operation = HostedWrite.Operation.upsert(mergeOn: mergeOn, isReplacing: isReplacing)
        return try await write(items, operation, target, atomicity, call) { json, created in
            HostedRecord(json).map { HostedUpsert(record: $0, isCreated: created.contains($0.id.description)) }
        }
    }

    /// Deletes records.
    ///
    /// - Returns: the identifiers that are gone, or why one is not.
    public func delete(
        _ ids: [RecordID],
        in target: HostedTarget,
        atomicity: HostedAtomicity = .each,
        _ call: HostedCall
    ) async throws -> [HostedOutcome<RecordID>] {
        try await write(ids.map { HostedWrite.Item(id: $0) }, .delete, target, atomicity, call) { json, _ in
            guard json["deleted"]?.boolValue == true else { return nil }
            return json["id"]?.stringValue.flatMap { RecordID($0) }
        }
    }

    /// - Parameter read: what a record of the reply says; the second argument holds the identifiers that were made.
    private func write<Value: Sendable>(
        _ items: [HostedWrite.Item],
        _ operation: HostedWrite.Operation,
        _ target: HostedTarget,
        _ atomicity: HostedAtomicity,
        _ call: HostedCall,
        _ read: (JSONValue, Set<String>) -> Value?
    ) async throws -> [HostedOutcome<Value>] {
        if items.isEmpty { return [] }
        let parts: [[HostedWrite.Item]]
        switch atomicity {
        case .each: parts = items.map { [$0] }
        case .together:
            guard items.count <= Limits.batchRecords else {
                throw AirtableError(
                    .invalidRequest,
                    "At most \(Limits.batchRecords) records are written together, received \(items.count)."
                )
            }
            parts = [items]
        }
        let orders = parts.map { part in
            HostedOrder.write(
                HostedWrite(
                    base: target.base,
                    table: target.table,
                    operation: operation,
                    typecast: target.typecast,
                    returnFieldsByFieldID: target.returnFieldsByFieldID,
                    items: part
                )
            )
        }
        // Twice: what is read while the write is under way may be from before it.
        cache.invalidate(target.base, table: target.table)
        defer {
            cache.invalidate(target.base, table: target.table)
            queue.separateReads(of: target.base)
        }
        let answers = try await queue.perform(orders, for: call)
        return zip(parts, answers).flatMap { part, answer in
            switch answer {
            case .failure(let error): return part.map { _ in HostedOutcome<Value>.failure(error) }
            case .success(let reply):
                let created = Set((reply["createdRecords"]?.arrayValue ?? []).compactMap(\.stringValue))
                // That there are as many as were sent is seen to where replies are split.
                return (reply["records"]?.arrayValue ?? []).map { json in
                    read(json, created).map { .success($0) } ?? .failure(.malformedHosted("this is no record"))
                }
            }
        }
    }
}
