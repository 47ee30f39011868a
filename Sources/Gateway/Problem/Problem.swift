import Access
import Airtable
import Domain
import HTTPTypes

/// An error as RFC 9457 has it, with the members this API adds.
struct Problem: WireType, Hashable {
    /// A name for this kind of problem: `urn:pyairtable:problem:` and the code. Not an address.
    let type: String
    let title: String
    let status: Int
    let detail: String
    /// The path of the request.
    let instance: String
    let requestId: String
    let code: String
    /// What to do next.
    let hint: String?
    /// The line of an uploaded file.
    let line: Int?
    /// What stands against an undo; only of that problem.
    let obstacles: JSONValue?

    static let contentType = "application/problem+json"

    static let schema = JSONSchema.object(
        properties: [
            "type": .string(description: "Names this kind of problem.", format: "uri"),
            "title": .string(description: "One phrase for the status."),
            "status": .integer(description: "The HTTP status.", minimum: 400, maximum: 599),
            "detail": .string(description: "What is wrong with this request."),
            "instance": .string(description: "The path of the request."),
            "requestId": .string(description: "Also in the header X-Request-Id, and in the server's log."),
            "code": .string(description: "A stable word for programs."),
            "hint": .string(description: "What to do next."),
            "line": .integer(description: "The line of an uploaded file, counted from 1.", minimum: 1),
            "obstacles": .array(of: .any, description: "What stands against an undo."),
        ],
        required: ["type", "title", "status", "detail", "instance", "requestId", "code"],
        description: "An error (RFC 9457)."
    )

    init(_ failure: any Failure, status: HTTPResponse.Status, path: String, requestID: String) {
        let code = "\(failure.codeText)"
        let cover = ProblemStatus.cover(for: failure.kind)
        self.type = "urn:pyairtable:problem:\(code)"
        self.title = ProblemStatus.title(of: status)
        self.status = status.code
        self.detail = cover ?? failure.message
        self.instance = path
        self.requestId = requestID
        self.code = code
        self.hint = cover == nil ? failure.hint : nil
        self.line = (failure as? ImportError)?.line
        self.obstacles = (failure as? UndoRefusal)?.obstacles
    }
}

extension Failure {
    /// The code's name, whatever its type.
    var codeText: String { code.rawValue }
}

/// Stands for an error that no module of ours threw.
struct UnknownFailure: Failure {
    enum Code: String, Sendable { case `internal`, cancelled }

    let code: Code
    let message = "Something went wrong."
    let detail: String?
    var kind: FailureKind { code == .cancelled ? .cancelled : .internal }

    init(_ error: any Error) {
        code = error is CancellationError ? .cancelled : .internal
        detail = "\(type(of: error)): \(error)"
    }
}
