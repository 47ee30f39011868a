import Domain

/// What Airtable's API itself refuses of a request, before a service is asked. Equal when the codes are equal.
struct AirtableRefusal: Failure, Equatable {
    /// Airtable's own types of errors.
    enum Code: String, Sendable, Hashable, CaseIterable {
        /// A parameter or member of the wrong type, or out of range.
        case invalidRequest = "INVALID_REQUEST_UNKNOWN"
        /// A member that must be there.
        case missingFields = "INVALID_REQUEST_MISSING_FIELDS"
        /// A member that should be an identifier of a record.
        case invalidRecordID = "INVALID_RECORD_ID"
        /// A field type that is none of ours.
        case unsupportedFieldType = "UNSUPPORTED_FIELD_TYPE_FOR_CREATE"
        /// Options of a field in the wrong shape.
        case invalidFieldOptions = "INVALID_FIELD_TYPE_OPTIONS_FOR_CREATE"
        /// Too many requests of one base, where Airtable's limit is emulated.
        case rateLimited = "RATE_LIMIT_REACHED"
    }

    let code: Code
    let message: String
    /// Whole seconds; only with `rateLimited`.
    let retryAfterSeconds: Int?

    private init(_ code: Code, _ message: String, retryAfterSeconds: Int? = nil) {
        self.code = code
        self.message = message
        self.retryAfterSeconds = retryAfterSeconds
    }

    var kind: FailureKind { code == .rateLimited ? .busy : .invalid }

    static func == (left: Self, right: Self) -> Bool { left.code == right.code }

    // MARK: The sentences

    /// Airtable says the first sentence only.
    static func invalid(_ what: String) -> Self {
        Self(.invalidRequest, "Invalid request: parameter validation failed. Check your request data. \(what)")
    }

    static func missing(_ member: String) -> Self {
        Self(.missingFields, "Could not find field \"\(member)\" in the request body")
    }

    static func noRecordID(_ place: String) -> Self {
        Self(.invalidRecordID, "\(place) is not a record ID: rec and 14 letters or digits")
    }

    static func unsupportedFieldType(_ field: String) -> Self {
        Self(.unsupportedFieldType, "Creating a field of the type of \"\(field)\" is not supported")
    }

    static func invalidOptions(_ field: String, _ what: String) -> Self {
        Self(.invalidFieldOptions, "Invalid options for field \"\(field)\": \(what)")
    }

    static func rateLimited(retryAfterSeconds: Int) -> Self {
        Self(
            .rateLimited,
            "Rate limit exceeded. Please try again later",
            retryAfterSeconds: retryAfterSeconds
        )
    }
}
