import Airtable
import Domain

struct CommentWire: WrittenShape, Hashable {
    let value: JSONValue

    /// Reactions are shown as none: there is no way to react here.
    static func json(_ comment: RecordComment) -> JSONValue {
        var members: JSONObject = [
            "id": .string(comment.id.description), "author": json(comment.author), "text": .string(comment.text),
            "createdTime": .string(CellCodec.timestamp(comment.createdTime)),
            "lastUpdatedTime": comment.lastUpdatedTime.map { .string(CellCodec.timestamp($0)) } ?? .null,
            "mentioned": .object(
                JSONObject(
                    comment.mentioned.map { person in
                        var members: JSONObject = [
                            "id": .string(person.id.description), "type": "user",
                            "displayName": .string(person.name ?? ""),
                        ]
                        members["email"] = person.email.map { .string($0) }
                        return (key: person.id.description, value: .object(members))
                    }
                )
            ),
            "reactions": [],
        ]
        members["parentCommentId"] = comment.parent.map { .string($0.description) }
        return .object(members)
    }

    private static func json(_ person: CommentPerson) -> JSONValue {
        var members: JSONObject = ["id": .string(person.id.description)]
        members["email"] = person.email.map { .string($0) }
        members["name"] = person.name.map { .string($0) }
        return .object(members)
    }

    static let schemaName = "Comment"
    static let schema = JSONSchema.object(
        properties: [
            "id": PathParameter.commentId.schema,
            "author": .object(
                properties: ["id": .string(), "email": .string(), "name": .string()],
                required: ["id"]
            ),
            "text": .string(description: "Mentions are `@[usr…]`."),
            "createdTime": .string(format: "date-time"),
            "lastUpdatedTime": JSONSchema(json: ["type": ["string", "null"], "format": "date-time"]),
            "mentioned": .dictionary(
                of: .object(
                    properties: [
                        "id": .string(), "type": .string(enum: ["user"]), "displayName": .string(), "email": .string(),
                    ],
                    required: ["id", "type", "displayName"]
                ),
                description: "Who is mentioned, by identifier."
            ),
            "reactions": .array(of: .any),
            "parentCommentId": .string(description: "The comment that it answers, which may be deleted."),
        ],
        required: ["id", "author", "text", "createdTime", "lastUpdatedTime", "mentioned", "reactions"]
    )
    static let example: JSONValue = [
        "id": "comHelium00000001", "author": ["id": "usrChemist00000001", "name": "Marie"],
        "text": "Noble, is it not, @[usrChemist00000001]?", "createdTime": .string(Sample.time.iso8601),
        "lastUpdatedTime": .null,
        "mentioned": [
            "usrChemist00000001": ["id": "usrChemist00000001", "type": "user", "displayName": "Marie"]
        ],
        "reactions": [],
    ]
}

struct CommentListWire: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "CommentList"
    static let schema = JSONSchema.object(
        properties: [
            "comments": .array(of: CommentWire.schema, maxItems: Limits.pageRecords),
            "offset": JSONSchema(json: [
                "type": ["string", "null"], "description": "Give it back for the next page. Null on the last one.",
            ]),
        ],
        required: ["comments", "offset"]
    )
    static let example: JSONValue = ["comments": [CommentWire.example], "offset": .null]
}

struct CreateCommentBody: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "CreateCommentRequest"
    static let schema = JSONSchema.object(
        properties: [
            "text": .string(
                description: "A mention is `@[usr…]`, or an e-mail address or a name in the same brackets."
            ),
            "parentCommentId": .string(description: "The comment that this one answers."),
        ],
        required: ["text"]
    )
    static let example: JSONValue = ["text": "Noble, is it not?"]
}

struct UpdateCommentBody: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "UpdateCommentRequest"
    static let schema = JSONSchema.object(properties: ["text": .string()], required: ["text"])
    static let example: JSONValue = ["text": "Noble."]
}
