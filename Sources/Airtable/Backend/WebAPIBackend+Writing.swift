import Domain
import Logging

/// Writes to a hosted base: first there, then, of a mirror, here.
extension WebAPIBackend {
    func create(_ drafts: [RecordDraft], typecast: Bool) async throws -> [Record] {
        let items = try await prepared { backend in try drafts.map { try backend.keyed($0.fields) } }
        let mark = try await mark()
        let written = try await write(items, typecast) { items, target, atomicity, call in
            try await upstream.client.create(items, in: target, atomicity: atomicity, call)
        }
        return try await answer(written, asked: mark)
    }

    func update(_ updates: [RecordUpdate], replacing: Bool, typecast: Bool) async throws -> [Record] {
        // The service would clear what the caller may not see.
        let clears = replacing && !hidden.union(locked).isEmpty
        let items = try await prepared { backend in
            try updates.map { update in
                RecordUpdate(id: update.id, fields: try backend.keyed(update.fields, clearing: clears))
            }
        }
        let mark = try await mark()
        let written = try await write(items, typecast) { items, target, atomicity, call in
            try await upstream.client.update(
                items,
                in: target,
                isReplacing: replacing && !clears,
                atomicity: atomicity,
                call
            )
        }
        return try await answer(written, asked: mark)
    }

    func upsert(
        _ upserts: [RecordUpsert],
        mergeOn: [String],
        replacing: Bool,
        typecast: Bool
    ) async throws -> UpsertResult {
        let clears = replacing && !hidden.union(locked).isEmpty
        let (items, merge) = try await prepared { backend in
            let items = try upserts.map { upsert in
                RecordUpsert(id: upsert.id, fields: try backend.keyed(upsert.fields, clearing: clears))
            }
            return (items, try mergeOn.map { try backend.writableField($0).id.description })
        }
        let mark = try await mark()
        let written = try await write(items, typecast) { items, target, atomicity, call in
            try await upstream.client.upsert(
                items,
                mergeOn: merge,
                in: target,
                isReplacing: replacing && !clears,
                atomicity: atomicity,
                call
            )
        }
        let records = try await answer(written.map(\.record), asked: mark)
        let created = written.filter(\.isCreated).map(\.record.id).distinct()
        let updated = written.map(\.record.id).distinct().filter { !created.contains($0) }
        return UpsertResult(records: records, created: created, updated: updated)
    }

    func delete(_ ids: [RecordID]) async throws {
        let gone = try await write(ids, false) { items, target, atomicity, call in
            try await upstream.client.delete(items, in: target, atomicity: atomicity, call)
        }
        guard home == .mirrored else { return }
        await mirroring {
            // A record that is gone does not come back: nothing here can be newer.
            _ = try await writer.remove(gone, in: table, asked: .max)
        }
    }

    // MARK: There

    /// Sends items in tens, each ten all or none, as the service's own calls are; a single one goes with whatever else
    /// waits.
    ///
    /// - Throws: the first failure; with more than ten items it says how many were written before.
    private func write<Item: Sendable, Value: Sendable>(
        _ items: [Item],
        _ typecast: Bool,
        _ send: ([Item], HostedTarget, HostedAtomicity, HostedCall) async throws -> [HostedOutcome<Value>]
    ) async throws -> [Value] {
        let target = HostedTarget(
            base: base.id,
            table: table.description,
            typecast: typecast,
            returnFieldsByFieldID: true
        )
        let call = try await call()
        var written: [Value] = []
        var rest = items[...]
        while !rest.isEmpty {
            let part = Array(rest.prefix(Limits.batchRecords))
            rest = rest.dropFirst(part.count)
            let outcomes = try await send(part, target, part.count == 1 ? .each : .together, call)
            for outcome in outcomes {
                switch outcome {
                case .success(let value): written.append(value)
                case .failure(let error): throw await failed(error, after: written.count, of: items.count)
                }
            }
        }
        return written
    }

    private func failed(_ error: AirtableError, after count: Int, of total: Int) async -> AirtableError {
        // What may have happened there is looked for, and so is what was written before a failure.
        if home == .mirrored, error.code == .writeUncertain || count > 0 {
            await mirroring { try await service.wantSweep(of: base.id, context: context) }
        }
        guard count > 0 else { return error }
        return AirtableError(
            error.code,
            "\(count) of \(total) records were written, then: \(error.message)",
            hint: error.hint,
            detail: error.detail
        )
    }

    /// The cells by identifier of their fields.
    ///
    /// - Parameter clearing: also every other one that the caller may see and set, with null.
    private func keyed(_ fields: JSONObject, clearing: Bool = false) throws(AirtableError) -> JSONObject {
        var keyed = JSONObject()
        for (name, value) in fields {
            let field = try writableField(name)
            guard !locked.contains(field.id) else { throw .locked(field) }
            guard keyed[field.id.description] == nil else {
                throw AirtableError(.invalidRequest, "Field \"\(field.name)\" is given twice.")
            }
            keyed[field.id.description] = value
        }
        guard clearing else { return keyed }
        for field in model.table.fields
        where !field.type.isComputed && !hidden.contains(field.id) && !locked.contains(field.id)
            && keyed[field.id.description] == nil
        {
            keyed[field.id.description] = .null
        }
        return keyed
    }

    // MARK: Here

    private var writer: MirrorWriter { MirrorWriter(service: service, base: base.id, context: context) }

    /// What is written here after this moment is newer than what the service answers to the next call.
    private func mark() async throws -> Int64 { home == .mirrored ? try await writer.mark() : 0 }

    private func answer(_ written: [HostedRecord], asked mark: Int64) async throws -> [Record] {
        let records = try await records(written)
        if home == .mirrored { await mirroring { try await mirror(written, asked: mark) } }
        return records
    }

    /// Puts what the service answered into the copy. Its answers to several writers may come in another order than it
    /// took them in; so a record that somebody else has written here meanwhile is read once more.
    private func mirror(_ written: [HostedRecord], asked mark: Int64) async throws {
        var outcome = try await writer.putWritten(written, in: table, asked: mark)
        var rounds = 0
        while !outcome.newer.isEmpty, rounds < Self.rereadsMax {
            rounds += 1
            let sequence = try await writer.mark()
            let records = try await hosted(outcome.newer, try await call(wantsFresh: true))
            outcome = try await writer.putWritten(records, in: table, asked: sequence)
        }
        if !outcome.newer.isEmpty || !outcome.isWhole { try await service.wantSweep(of: base.id, context: context) }
    }

    private static let rereadsMax = 3

    /// What fails here has happened there all the same: the caller gets the service's answer, and the copy is compared.
    private func mirroring(_ body: () async throws -> Void) async {
        do { try await body() } catch {
            context.logger.warning("a write did not get into the mirror", metadata: ["error": "\(error)"])
            // When even that fails, the next comparison of all records finds it.
            try? await service.wantSweep(of: base.id, context: context)
        }
    }
}
