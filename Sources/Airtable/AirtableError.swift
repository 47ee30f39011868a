public import Domain

/// Why a call to the record store failed.
///
/// The codes are Airtable's own where it has one, so that the compatible API can answer with them
/// as they are; the rest are ours. Equality is by code.
public struct AirtableError: Failure, Equatable {
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// A record that does not exist, or that the caller may not know of.
        case notFound = "NOT_FOUND"
        /// A base, table or field that does not exist, or that the caller may not know of.
        case modelNotFound = "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND"
        /// A record named inside a request (batch, link) that its table does not hold.
        case rowDoesNotExist = "ROW_DOES_NOT_EXIST"
        case invalidRequest = "INVALID_REQUEST_UNKNOWN"
        case unknownFieldName = "UNKNOWN_FIELD_NAME"
        case invalidValueForColumn = "INVALID_VALUE_FOR_COLUMN"
        case invalidMultipleChoiceOptions = "INVALID_MULTIPLE_CHOICE_OPTIONS"
        case invalidOffset = "INVALID_OFFSET_VALUE"
        /// A sorted list that is no longer kept: begin again without an offset.
        case iteratorNotAvailable = "LIST_RECORDS_ITERATOR_NOT_AVAILABLE"
        case invalidFilter = "INVALID_FILTER_BY_FORMULA"
        case duplicateBaseName = "DUPLICATE_BASE_NAME"
        case duplicateTableName = "DUPLICATE_TABLE_NAME"
        case duplicateViewName = "DUPLICATE_VIEW_NAME"
        /// A list by a view that its table does not have.
        case viewNotFound = "VIEW_NAME_NOT_FOUND"
        /// A view in an address that does not exist.
        case noSuchView = "MODEL_ID_NOT_FOUND"
        case duplicateOrEmptyFieldName = "DUPLICATE_OR_EMPTY_FIELD_NAME"
        case invalidFieldOptions = "INVALID_FIELD_TYPE_OPTIONS_FOR_CREATE"
        case invalidRecordID = "INVALID_RECORD_ID"
        /// An upsert found more than one record for one key.
        case ambiguousMatch = "INVALID_RECORDS"
        case tooLarge = "REQUEST_TOO_LARGE"
        /// An attachment in a cell that is neither one of the base nor an address.
        case invalidAttachment = "INVALID_ATTACHMENT_OBJECT"
        /// A file could not be fetched by its address.
        case attachmentsFailed = "ATTACHMENTS_FAILED_UPLOADING"
        /// The disk failed, or is full.
        case storageFailed = "STORAGE_FAILED"
        /// A reader of the change log lags behind the oldest entry kept: read everything anew, then
        /// go on from there.
        case resynchronise = "RESYNCHRONISE"
        /// The schema kept changing under a write.
        case busy = "SERVICE_UNAVAILABLE"
        /// An import that was published, abandoned or taken over meanwhile.
        case importGone = "IMPORT_GONE"
        /// The hosted service does not take the token.
        case authenticationRequired = "AUTHENTICATION_REQUIRED"
        /// Somebody else's comment; or the token of the hosted service lacks a scope, or its owner a right.
        case invalidPermissions = "INVALID_PERMISSIONS"
        /// The calls that the hosted service's plan allows in a month are used up.
        case billingLimit = "PUBLIC_API_BILLING_LIMIT_EXCEEDED"
        /// The hosted service failed, or what came is no answer of its API.
        case upstreamFailed = "SERVER_ERROR"
        /// A write went out and no answer came: it may have happened. Read before trying again.
        case writeUncertain = "WRITE_UNCERTAIN"
        /// Stored data that cannot be read as what the schema says.
        case corrupt = "CORRUPT_STORE"
    }

    public let code: Code
    public let message: String
    public let hint: String?
    public let detail: String?

    public init(_ code: Code, _ message: String, hint: String? = nil, detail: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        self.detail = detail
    }

    public var kind: FailureKind {
        switch code {
        case .notFound, .modelNotFound, .noSuchView: .notFound
        case .rowDoesNotExist, .invalidRequest, .unknownFieldName, .invalidValueForColumn: .invalid
        case .invalidMultipleChoiceOptions, .invalidOffset, .invalidFieldOptions, .ambiguousMatch: .invalid
        case .duplicateOrEmptyFieldName, .invalidRecordID, .iteratorNotAvailable, .invalidFilter: .invalid
        case .invalidAttachment, .attachmentsFailed, .viewNotFound: .invalid
        case .duplicateBaseName, .duplicateTableName, .duplicateViewName, .resynchronise, .importGone: .conflict
        case .tooLarge: .tooLarge
        case .storageFailed: .internal
        case .busy, .billingLimit, .upstreamFailed: .busy
        case .authenticationRequired: .notConfigured
        case .invalidPermissions: .forbidden
        case .writeUncertain: .conflict
        case .corrupt: .corrupt
        }
    }

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}

extension AirtableError {
    static func baseNotFound(nearest: String? = nil) -> Self {
        Self(
            .modelNotFound,
            "There is no such base, or you may not see it.",
            hint: nearest.map { "did you mean \"\($0)\"?" } ?? "list the bases to see their names"
        )
    }

    static func tableNotFound(nearest: String? = nil) -> Self {
        Self(
            .modelNotFound,
            "There is no such table, or you may not see it.",
            hint: nearest.map { "did you mean \"\($0)\"?" } ?? "list the tables of the base to see their names"
        )
    }

    static func viewNotFound(nearest: String? = nil) -> Self {
        Self(
            .viewNotFound,
            "There is no such view, or you may not see it.",
            hint: nearest.map { "did you mean \"\($0)\"?" } ?? "list the views of the table to see their names"
        )
    }

    package static func noSuchView() -> Self { Self(.noSuchView, "There is no such view, or you may not see it.") }

    static func duplicateBaseName(_ name: String) -> Self {
        Self(.duplicateBaseName, "There is a base named \"\(name)\" already.")
    }

    static func fieldNotFound() -> Self {
        Self(.modelNotFound, "There is no such field, or you may not see it.")
    }

    static func recordNotFound() -> Self {
        Self(.notFound, "There is no such record in this table, or you may not see it.")
    }

    static func transactionNotFound() -> Self {
        Self(
            .notFound,
            "There is no such transaction in the change log, it is no longer kept, or you may not see all of it."
        )
    }

    static func rowDoesNotExist(_ id: RecordID) -> Self {
        Self(.rowDoesNotExist, "Record ID \(id) does not exist in this table")
    }

    static func unknownFieldName(_ name: String, nearest: String? = nil) -> Self {
        Self(
            .unknownFieldName,
            "Unknown field name: \"\(name.cut(to: 255))\"",
            hint: nearest.map { "did you mean \"\($0)\"?" }
        )
    }

    static var iteratorNotAvailable: Self {
        Self(
            .iteratorNotAvailable,
            "The list that this offset goes on with is no longer kept.",
            hint: "start again without it"
        )
    }

    package static var offsetNotOfThisList: Self {
        Self(.invalidOffset, "The offset is not one of this list.", hint: "start again without it")
    }

    /// - Parameter problem: in the words that the hosted API puts after the colon.
    package static func invalidFilter(_ problem: String, hint: String? = nil) -> Self {
        Self(.invalidFilter, "The formula for filtering records is invalid: \(problem)", hint: hint)
    }

    /// The value itself stays out of the message: it may be anything.
    static func invalidValue(_ field: Field, expected: String) -> Self {
        Self(
            .invalidValueForColumn,
            "Field \"\(field.name)\" cannot accept the provided value",
            hint: "expected \(expected)"
        )
    }

    static func computed(_ field: Field) -> Self {
        Self(.invalidValueForColumn, "Field \"\(field.name)\" cannot accept a value because the field is computed")
    }

    static func unknownAttachment(_ field: Field) -> Self {
        Self(
            .invalidAttachment,
            "Field \"\(field.name)\" takes attachments with an http or https \"url\", or the \"id\" of one it has"
        )
    }

    static func unknownChoice(_ name: String, _ field: Field) -> Self {
        Self(
            .invalidMultipleChoiceOptions,
            "Insufficient permissions to create new select option \"\(name.cut(to: 255))\"",
            hint: "use one of the choices of field \"\(field.name)\", or typecast to add a choice"
        )
    }

    static func corrupt(_ message: String, detail: String? = nil) -> Self {
        Self(.corrupt, message, hint: "run doctor --verify", detail: detail)
    }
}

extension AirtableError {
    /// - Parameter what: without what it holds: `record recAAAAAAAAAAAAAA of table "People"`.
    static func damaged(_ what: String) -> Self {
        Self(
            .corrupt,
            "The data of \(what) was changed outside the product, or damaged.",
            hint: "restore a backup; doctor --verify lists everything that is damaged"
        )
    }
}

extension String {
    /// The first `count` characters.
    func cut(to count: Int) -> String { self.count <= count ? self : String(prefix(count)) + "…" }
}
