import Domain

/// The path of a route, such as `/api/v1/airtable/bases/{baseId}`.
public struct RoutePattern: Sendable, Hashable, CustomStringConvertible {
    enum Segment: Sendable, Hashable {
        case literal(String)
        case parameter(PathParameter)
    }

    let segments: [Segment]
    public let description: String

    /// Takes `/` and segments that are plain words or the name of a `PathParameter` in braces.
    init(_ text: String) {
        precondition(text.first == "/", "a route's path begins with a slash: \(text)")
        description = text
        segments = text.dropFirst().split(separator: "/", omittingEmptySubsequences: true).map { part in
            guard part.first == "{" else { return .literal(String(part)) }
            guard let parameter = PathParameter(rawValue: String(part.dropFirst().dropLast())) else {
                preconditionFailure("no path parameter is called \(part)")
            }
            return .parameter(parameter)
        }
    }

    var parameters: [PathParameter] {
        segments.compactMap { if case .parameter(let parameter) = $0 { parameter } else { nil } }
    }
}

/// What may vary in a path: identifiers of a fixed form, checked before they are used, and names.
public enum PathParameter: String, Sendable, Hashable, CaseIterable {
    case baseId
    case tableId
    case tableIdOrName
    case recordId
    case conversationId
    case messageId
    case runId
    case jobId
    case fieldIdOrName
    case workspaceId
    case viewId
    case choiceId
    case commentId
    /// The number of a transaction of the change log.
    case transaction
    case webhookId
    /// The name of a tool.
    case tool
    case tenantId
    case attachmentId
    case sessionId
    case keyId, userId, inviteId, grantId, roleId, groupId
    /// Of a link to a file: seconds since 1970, an HMAC, and a name that is for people.
    case expires, signature, filename

    /// Of the identifier; nil for what is none.
    private var prefix: String? {
        switch self {
        case .baseId: "app"
        case .tableId: "tbl"
        case .tableIdOrName, .fieldIdOrName, .tool, .transaction, .expires, .signature, .filename: nil
        case .workspaceId: "wsp"
        case .viewId: "viw"
        case .choiceId: "sel"
        case .commentId: "com"
        case .webhookId: "ach"
        case .tenantId: "ten"
        case .attachmentId: "att"
        case .grantId: "grt"
        case .roleId: "rol"
        case .groupId: "ugp"
        case .recordId: "rec"
        case .conversationId: "cnv"
        case .messageId: "msg"
        case .runId: "run"
        case .jobId: "job"
        case .sessionId: "ses"
        case .keyId: "key"
        case .userId: "usr"
        case .inviteId: "inv"
        }
    }

    var schema: JSONSchema {
        switch self {
        case .transaction: return JSONSchema(json: ["type": "string", "pattern": "^[1-9][0-9]{0,17}$"])
        case .expires: return JSONSchema(json: ["type": "string", "pattern": "^[0-9]{1,15}$"])
        case .signature: return JSONSchema(json: ["type": "string", "pattern": "^[0-9a-f]{64}$"])
        case .tool: return JSONSchema(json: ["type": "string", "pattern": "^[A-Za-z0-9_.-]{1,64}$"])
        case .filename: return .string(description: "For people; nothing depends on it.")
        default: break
        }
        guard let prefix else { return .string(description: "Its identifier, or its name percent-encoded.") }
        return JSONSchema(json: ["type": "string", "pattern": .string("^\(prefix)[A-Za-z0-9]{14}$")])
    }
}
