import Domain
import Outbound

/// Comments of a hosted base: they stay at the service, also those on records of a mirror.
extension WebAPIBackend {
    func comments(on record: RecordID, pageSize: Int, offset: String?) async throws -> CommentPage {
        var query = [(name: "pageSize", value: String(pageSize))]
        if let offset, !offset.isEmpty { query.append((name: "offset", value: offset)) }
        let page = try await upstream.client.fetch(
            path(of: record),
            query: query,
            base: base.id,
            table: table.description,
            // Comments are written by others too, and are read to be answered.
            try await call(wantsFresh: true)
        )
        let list = page["comments"]?.arrayValue
        let comments = list?.compactMap { RecordComment(hosted: $0) }
        guard let comments, comments.count == list?.count else {
            throw AirtableError.malformedHosted("this is no page of comments")
        }
        return CommentPage(comments: comments, offset: page["offset"]?.stringValue)
    }

    /// How many comments records have; those without any are left out.
    func commentCounts(of records: [RecordID]) async throws -> [RecordID: Int] {
        var counts: [RecordID: Int] = [:]
        var rest = records.distinct()[...]
        while !rest.isEmpty {
            let part = rest.prefix(Self.recordsPerQuestion)
            rest = rest.dropFirst(part.count)
            var listing = HostedListing()
            listing.fields = [model.table.primaryField.description]
            listing.filterByFormula = Self.question(Array(part))
            listing.recordMetadata = ["commentCount"]
            let page = try await upstream.client.page(listing, of: table.description, in: base.id, try await call())
            for record in page.records {
                if let count = record.commentCount, count > 0 { counts[record.id] = count }
            }
        }
        return counts
    }

    func createComment(_ text: String, parent: CommentID?, on record: RecordID) async throws -> RecordComment {
        var body: JSONObject = ["text": .string(text)]
        body["parentCommentId"] = parent.map { .string($0.description) }
        return try comment(try await send(.post, path(of: record), .object(body), isRepeatable: false))
    }

    func updateComment(_ id: CommentID, text: String, on record: RecordID) async throws -> RecordComment {
        let path = path(of: record) + [id.description]
        return try comment(try await send(.patch, path, ["text": .string(text)], isRepeatable: true))
    }

    func deleteComment(_ id: CommentID, on record: RecordID) async throws {
        _ = try await send(.delete, path(of: record) + [id.description], nil, isRepeatable: true)
    }

    // MARK: Parts

    private func path(of record: RecordID) -> [String] {
        [base.id.description, table.description, record.description, "comments"]
    }

    private func send(
        _ method: OutboundRequest.Method,
        _ path: [String],
        _ body: JSONValue?,
        isRepeatable: Bool
    ) async throws -> JSONValue {
        try await upstream.client.send(
            method,
            path,
            body: body,
            isRepeatable: isRepeatable,
            base: base.id,
            try await call()
        )
    }

    private func comment(_ json: JSONValue) throws(AirtableError) -> RecordComment {
        guard let comment = RecordComment(hosted: json) else { throw .malformedHosted("this is no comment") }
        return comment
    }
}

extension RecordComment {
    /// As the service gives it.
    fileprivate init?(hosted json: JSONValue) {
        guard let id = json["id"]?.stringValue.flatMap({ CommentID($0) }), let text = json["text"]?.stringValue,
            let created = json["createdTime"]?.stringValue.flatMap({ Instant(iso8601: $0) }),
            let author = json["author"].flatMap({ CommentPerson(hosted: $0) })
        else { return nil }
        // In the order of the text, which the object need not have.
        let people = (json["mentioned"]?.objectValue?.values ?? []).compactMap { CommentPerson(hosted: $0) }
        func place(_ person: CommentPerson) -> String.Index {
            text.firstRange(of: person.id.description)?.lowerBound ?? text.endIndex
        }
        self.init(
            id: id,
            author: author,
            text: text,
            createdTime: created,
            lastUpdatedTime: json["lastUpdatedTime"]?.stringValue.flatMap { Instant(iso8601: $0) },
            mentioned: people.sorted { place($0) < place($1) },
            parent: json["parentCommentId"]?.stringValue.flatMap { CommentID($0) }
        )
    }
}

extension CommentPerson {
    fileprivate init?(hosted json: JSONValue) {
        guard let id = json["id"]?.stringValue.flatMap({ UserID($0) }) else { return nil }
        let name = json["name"]?.stringValue ?? json["displayName"]?.stringValue
        self.init(id: id, email: json["email"]?.stringValue, name: name)
    }
}
