import Access
import Airtable
import Database
import Domain
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import Gateway

/// The reference's table of errors, row by row: what a failure is answered with.
@Suite("Airtable's errors")
struct AirtableProblemTests {
    private static let noModel =
        "Invalid permissions, or the requested model was not found. Check that both your user and your token have the "
        + "required permissions, and that the model names and/or ids are correct."

    private struct Expected {
        let status: Int
        let body: JSONValue

        /// The bare shape.
        init(_ status: Int, _ type: String) {
            self.status = status
            body = ["error": .string(type)]
        }

        init(_ status: Int, _ type: String, _ message: String) {
            self.status = status
            body = ["error": ["type": .string(type), "message": .string(message)]]
        }
    }

    private func expect(
        _ failure: any Failure,
        _ expected: Expected,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let row = AirtableProblem.row(of: failure)
        #expect(row.status.code == expected.status, sourceLocation: sourceLocation)
        #expect(row.body == expected.body, sourceLocation: sourceLocation)
        #expect(AirtableProblem.schema.violations(of: row.body) == [], sourceLocation: sourceLocation)
    }

    @Test("of the store keep their type and message, with status 422", arguments: AirtableError.Code.allCases)
    func store(_ code: AirtableError.Code) {
        let failure = AirtableError(code, "what happened", hint: "a hint", detail: "a secret")
        let unavailable = Expected(
            503,
            "SERVICE_UNAVAILABLE",
            "The service is temporarily unavailable. Please retry shortly."
        )
        let expected =
            switch code {
            case .notFound: Expected(404, "NOT_FOUND")
            case .modelNotFound: Expected(403, "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND", Self.noModel)
            case .rowDoesNotExist: Expected(422, "ROW_DOES_NOT_EXIST", "what happened")
            case .invalidRequest: Expected(422, "INVALID_REQUEST_UNKNOWN", "what happened")
            case .unknownFieldName: Expected(422, "UNKNOWN_FIELD_NAME", "what happened")
            case .invalidValueForColumn: Expected(422, "INVALID_VALUE_FOR_COLUMN", "what happened")
            case .invalidMultipleChoiceOptions: Expected(422, "INVALID_MULTIPLE_CHOICE_OPTIONS", "what happened")
            case .invalidOffset: Expected(422, "INVALID_OFFSET_VALUE", "what happened")
            case .duplicateBaseName: Expected(422, "DUPLICATE_BASE_NAME", "what happened")
            case .duplicateTableName: Expected(422, "DUPLICATE_TABLE_NAME", "what happened")
            case .duplicateViewName: Expected(422, "DUPLICATE_VIEW_NAME", "what happened")
            case .viewNotFound: Expected(422, "VIEW_NAME_NOT_FOUND", "what happened")
            case .noSuchView: Expected(404, "MODEL_ID_NOT_FOUND", "what happened")
            case .duplicateOrEmptyFieldName: Expected(422, "DUPLICATE_OR_EMPTY_FIELD_NAME", "what happened")
            case .invalidFieldOptions: Expected(422, "INVALID_FIELD_TYPE_OPTIONS_FOR_CREATE", "what happened")
            case .invalidRecordID: Expected(422, "INVALID_RECORD_ID", "what happened")
            case .ambiguousMatch: Expected(422, "INVALID_RECORDS", "what happened")
            case .tooLarge: Expected(413, "REQUEST_TOO_LARGE", "what happened")
            case .resynchronise, .importGone:
                Expected(
                    422,
                    "INVALID_REQUEST_UNKNOWN",
                    "Invalid request: parameter validation failed. Check your request data. what happened"
                )
            case .iteratorNotAvailable: Expected(422, "LIST_RECORDS_ITERATOR_NOT_AVAILABLE", "what happened")
            case .invalidFilter: Expected(422, "INVALID_FILTER_BY_FORMULA", "what happened")
            case .invalidAttachment: Expected(422, "INVALID_ATTACHMENT_OBJECT", "what happened")
            case .attachmentsFailed: Expected(422, "ATTACHMENTS_FAILED_UPLOADING", "what happened")
            case .invalidPermissions:
                Expected(403, "INVALID_PERMISSIONS", "You are not permitted to perform this operation")
            case .billingLimit: Expected(429, "PUBLIC_API_BILLING_LIMIT_EXCEEDED", "what happened")
            case .writeUncertain: Expected(422, "WRITE_UNCERTAIN", "what happened")
            case .busy, .authenticationRequired, .upstreamFailed: unavailable
            case .corrupt, .storageFailed:
                Expected(500, "SERVER_ERROR", "Try again. If the problem persists, contact support.")
            }
        expect(failure, expected)
    }

    @Test("of the request itself", arguments: AirtableRefusal.Code.allCases)
    func request(_ code: AirtableRefusal.Code) {
        switch code {
        case .invalidRequest:
            expect(
                AirtableRefusal.invalid("x must be y."),
                Expected(
                    422,
                    "INVALID_REQUEST_UNKNOWN",
                    "Invalid request: parameter validation failed. Check your request data. x must be y."
                )
            )
        case .missingFields:
            expect(
                AirtableRefusal.missing("fields"),
                Expected(
                    422,
                    "INVALID_REQUEST_MISSING_FIELDS",
                    "Could not find field \"fields\" in the request body"
                )
            )
        case .invalidRecordID:
            expect(
                AirtableRefusal.noRecordID("records[0].id"),
                Expected(
                    422,
                    "INVALID_RECORD_ID",
                    "records[0].id is not a record ID: rec and 14 letters or digits"
                )
            )
        case .unsupportedFieldType:
            expect(
                AirtableRefusal.unsupportedFieldType("Hologram"),
                Expected(
                    422,
                    "UNSUPPORTED_FIELD_TYPE_FOR_CREATE",
                    "Creating a field of the type of \"Hologram\" is not supported"
                )
            )
        case .invalidFieldOptions:
            expect(
                AirtableRefusal.invalidOptions("Size", "too small"),
                Expected(
                    422,
                    "INVALID_FIELD_TYPE_OPTIONS_FOR_CREATE",
                    "Invalid options for field \"Size\": too small"
                )
            )
        case .rateLimited:
            expect(
                AirtableRefusal.rateLimited(retryAfterSeconds: 1),
                Expected(429, "RATE_LIMIT_REACHED", "Rate limit exceeded. Please try again later")
            )
        }
    }

    @Test("of the edge are no problem documents either", arguments: GatewayError.Code.allCases)
    func edge(_ code: GatewayError.Code) {
        let unavailable = Expected(
            503,
            "SERVICE_UNAVAILABLE",
            "The service is temporarily unavailable. Please retry shortly."
        )
        let expected =
            switch code {
            case .notFound, .upgradeRequired: Expected(404, "NOT_FOUND")
            case .methodNotAllowed: Expected(405, "METHOD_NOT_ALLOWED", "what happened")
            case .unsupportedMediaType: Expected(400, "BAD_REQUEST", "what happened")
            case .bodyInterrupted: Expected(400, "INVALID_REQUEST_BODY", "Could not parse request body")
            case .invalidBody, .invalidParameter, .idempotencyKeyReused, .invalidCursor:
                Expected(
                    422,
                    "INVALID_REQUEST_UNKNOWN",
                    "Invalid request: parameter validation failed. Check your request data. what happened"
                )
            case .bodyTooLarge: Expected(413, "REQUEST_TOO_LARGE", "Request body is too large")
            case .uriTooLong: Expected(413, "REQUEST_TOO_LARGE", "what happened")
            case .foreignOrigin:
                Expected(403, "INVALID_PERMISSIONS", "You are not permitted to perform this operation")
            case .tooManySockets, .timedOut, .clientGone, .overloaded: unavailable
            case .malformedRequest: Expected(400, "BAD_REQUEST", "what happened")
            case .unsupportedVersion: Expected(505, "BAD_REQUEST", "what happened")
            case .requestTooSlow: Expected(408, "BAD_REQUEST", "what happened")
            case .unknownExpectation: Expected(417, "BAD_REQUEST", "what happened")
            case .headTooLarge: Expected(431, "REQUEST_TOO_LARGE", "what happened")
            case .tooManyConnections, .tooManyRequests:
                Expected(429, "RATE_LIMIT_REACHED", "Rate limit exceeded. Please try again later")
            case .notAcceptable: Expected(406, "NOT_ACCEPTABLE", "what happened")
            case .preconditionFailed: Expected(412, "PRECONDITION_FAILED", "what happened")
            case .idempotencyKeyInUse: Expected(409, "CONFLICT", "what happened")
            }
        expect(GatewayError(code, "what happened", hint: "a hint", detail: "a secret"), expected)
    }

    @Test("of what stands below say whose fault it is, and nothing else")
    func below() {
        expect(
            AccessError.unauthenticated("a secret"),
            Expected(401, "AUTHENTICATION_REQUIRED", "Authentication required")
        )
        expect(
            AccessError.forbidden(.recordsRead),
            Expected(403, "INVALID_PERMISSIONS", "You are not permitted to perform this operation")
        )
        let serverError = Expected(500, "SERVER_ERROR", "Try again. If the problem persists, contact support.")
        let unavailable = Expected(
            503,
            "SERVICE_UNAVAILABLE",
            "The service is temporarily unavailable. Please retry shortly."
        )
        expect(DatabaseError(.busy, "the database is busy"), unavailable)
        expect(DatabaseError(.timedOut, "the deadline passed"), unavailable)
        expect(DatabaseError(.full, "the disk is full"), unavailable)
        expect(DatabaseError(.syntax, "a secret"), serverError)
        expect(DatabaseError(.corrupt, "a secret"), serverError)
        expect(UnknownFailure(ForeignError()), serverError)
    }

    private struct ForeignError: Error {}

    @Test("cover every path under /v0 and none beside it")
    func paths() {
        for path in ["/v0", "/v0/", "/v0/x", "/v0/meta/whoami"] { #expect(AirtableProblem.covers(path)) }
        for path in ["/", "/v1/models", "/v01", "/api/v0/x", "/V0/x", "//v0/x"] {
            #expect(!AirtableProblem.covers(path))
        }
    }

    // MARK: Over HTTP

    @Test("come over HTTP as they stand in the table")
    func http() async throws {
        try await withGateway { fixture in
            let table = "/v0/\(fixture.base.id)/\(fixture.elements.id)"
            let record = "\(table)/\(fixture.records[0].id)"
            let long = "/v0/" + String(repeating: "a", count: Limits.airtableURIBytes)
            let model = Expected(403, "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND", Self.noModel)
            let requests: [(HTTPRequest.Method, String, String?, Expected)] = [
                (.get, "/v0", nil, Expected(404, "NOT_FOUND")),
                (.get, "/v0/meta", nil, Expected(404, "NOT_FOUND")),
                (.get, "/v0/meta/nothing", nil, Expected(404, "NOT_FOUND")),
                (.get, "/v0/\(fixture.base.id)", nil, Expected(404, "NOT_FOUND")),
                (.get, record + "/nothing", nil, Expected(404, "NOT_FOUND")),
                (.get, "/v0/nonsense/x", nil, Expected(404, "NOT_FOUND")),
                (.get, "/v0/\(fixture.base.id)/%zz", nil, Expected(404, "NOT_FOUND")),
                (.get, table + "/nonsense", nil, Expected(404, "NOT_FOUND")),
                (.get, table + "/recAAAAAAAAAAAAAA", nil, Expected(404, "NOT_FOUND")),
                (.delete, table + "/recAAAAAAAAAAAAAA", nil, Expected(404, "NOT_FOUND")),
                (
                    .put, "/v0/meta/bases", "{}",
                    Expected(405, "METHOD_NOT_ALLOWED", "This address does not take that method.")
                ),
                (.get, "/v0/appAAAAAAAAAAAAAA/x", nil, model),
                (.get, "/v0/\(fixture.base.id)/Nowhere", nil, model),
                (.get, "/v0/meta/bases/appAAAAAAAAAAAAAA/tables", nil, model),
                (.post, table, "{", Expected(400, "INVALID_REQUEST_BODY", "Could not parse request body")),
                (
                    .post, table, #"{"a":1,"a":2}"#,
                    Expected(400, "INVALID_REQUEST_BODY", "Could not parse request body")
                ),
                (
                    .post, table, String(repeating: "[", count: 1_000),
                    Expected(413, "REQUEST_TOO_LARGE", "Request body is too large")
                ),
                (
                    .get, long, nil,
                    Expected(413, "REQUEST_TOO_LARGE", "The address is longer than \(Limits.airtableURIBytes) bytes.")
                ),
                (
                    .post, table, "[]",
                    Expected(
                        422,
                        "INVALID_REQUEST_UNKNOWN",
                        "Invalid request: parameter validation failed. Check your request data. "
                            + "The body must be an object."
                    )
                ),
                (
                    .post, table, #"{"fields":{"State":"Plasma"}}"#,
                    Expected(
                        422,
                        "INVALID_MULTIPLE_CHOICE_OPTIONS",
                        "Insufficient permissions to create new select option \"Plasma\""
                    )
                ),
                (
                    .patch, record, #"{"fields":{"Isotopes":["recAAAAAAAAAAAAAA"]}}"#,
                    Expected(
                        422,
                        "ROW_DOES_NOT_EXIST",
                        "Record ID recAAAAAAAAAAAAAA does not exist in this table"
                    )
                ),
            ]
            try await fixture.server().publicApplication.test(.router) { client in
                for (method, path, body, expected) in requests {
                    let answer = try await client.send(method, path, key: fixture.key, body: body)
                    #expect(answer.status == expected.status, "\(method) \(path.prefix(80))")
                    #expect(answer.json == expected.body, "\(method) \(path.prefix(80))")
                    #expect(answer.headers[.contentType]?.hasPrefix("application/json") == true)
                }
            }
        }
    }

    @Test("without a key, without the permission, and with another media type")
    func doors() async throws {
        try await withGateway { fixture in
            let table = "/v0/\(fixture.base.id)/\(fixture.elements.id)"
            let reader = try await fixture.key([.recordsRead])
            try await fixture.server().publicApplication.test(.router) { client in
                let anonymous = try await client.send(.get, table)
                #expect(anonymous.status == 401)
                #expect(
                    anonymous.text
                        == #"{"error":{"type":"AUTHENTICATION_REQUIRED","message":"Authentication required"}}"#
                )
                #expect(anonymous.headers[.wwwAuthenticate] != nil)
                let forbidden = try await client.send(.post, table, key: reader, body: "{}")
                #expect(forbidden.status == 403)
                #expect(
                    forbidden.text
                        == #"{"error":{"type":"INVALID_PERMISSIONS","message":"You are not permitted to perform this operation"}}"#
                )
                let form = try await client.send(.post, table, key: fixture.key, body: "a=b", contentType: "text/plain")
                #expect(form.status == 400)
                #expect(form.json?["error"]?["type"] == "BAD_REQUEST")
                let method = try await client.send(.trace, table, key: fixture.key)
                #expect(method.status == 405)
                #expect(method.json?["error"]?["type"] == "METHOD_NOT_ALLOWED")
                #expect(method.headers[.allow] == "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT")
            }
        }
    }

    @Test("a request that takes too long is a 503 of Airtable's shape")
    func timeOut() async throws {
        try await withGateway { fixture in
            let server = fixture.server(requestTimeout: .zero)
            try await server.publicApplication.test(.router) { client in
                let answer = try await client.send(
                    .get,
                    "/v0/\(fixture.base.id)/\(fixture.elements.id)",
                    key: fixture.key
                )
                #expect(answer.status == 503)
                #expect(answer.json?["error"]?["type"] == "SERVICE_UNAVAILABLE")
            }
        }
    }
}
