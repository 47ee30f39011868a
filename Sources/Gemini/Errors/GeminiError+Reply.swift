import Domain
import Outbound

extension GeminiError {
    /// Reads a reply whose status is not 2xx. Its body may be an error of the API, an array around one, or anything
    /// that stands in between, such as a proxy's page.
    static func ofReply(
        status: Int,
        retryAfterHeader header: Duration?,
        body: [UInt8],
        model: GeminiModelName?,
        configuration: GeminiConfiguration
    ) -> GeminiError {
        let json = try? JSONValue(parsing: body, limits: .geminiReply)  // what is no JSON is described as that below
        guard let error = json.flatMap(GeminiErrorBody.init) else {
            return ofForeignReply(status, header, body, model, configuration)
        }
        return ofBody(error, status: status, retryAfterHeader: header, model: model, configuration: configuration)
    }

    /// - Parameter status: of the reply; an error inside a stream has its own.
    static func ofBody(
        _ body: GeminiErrorBody,
        status: Int,
        retryAfterHeader: Duration? = nil,
        model: GeminiModelName?,
        configuration: GeminiConfiguration
    ) -> GeminiError {
        let status = status >= 400 ? status : body.httpCode ?? Self.httpStatus(of: body.status)
        let code = Self.code(status, body)
        let detail = configuration.key.redacted(in: body.summary)
        return GeminiError(
            code,
            message(code, status, model),
            hint: hint(code),
            detail: detail,
            status: status,
            retryAfter: body.retryDelay ?? retryAfterHeader,
            isTransient: isTransient(status)
        )
    }

    private static func ofForeignReply(
        _ status: Int,
        _ retryAfter: Duration?,
        _ body: [UInt8],
        _ model: GeminiModelName?,
        _ configuration: GeminiConfiguration
    ) -> GeminiError {
        let code = code(status, nil)
        let beginning = configuration.key.redacted(in: String(decoding: body, as: UTF8.self)).prefix(200)
        return GeminiError(
            code,
            message(code, status, model),
            hint: hint(code),
            detail: "HTTP \(status), not an error of the API: \(beginning)",
            status: status,
            retryAfter: retryAfter,
            isTransient: isTransient(status)
        )
    }

    /// Redirects lead elsewhere the next time too, and after 499 it was we who went away. Nil is as the code says.
    private static func isTransient(_ status: Int) -> Bool? { status < 400 || status == 499 ? false : nil }

    private static func code(_ status: Int, _ body: GeminiErrorBody?) -> Code {
        let keyReasons: Set = ["API_KEY_INVALID", "API_KEY_EXPIRED", "API_KEY_SERVICE_BLOCKED"]
        if let body, !keyReasons.isDisjoint(with: body.reasons) { return .keyRefused }
        switch status {
        case 400 where body?.status == "FAILED_PRECONDITION": return .preconditionFailed
        // Only the text says it; the field name stands in every wording seen so far.
        case 400 where body?.message.containsIgnoringCase("api key not valid") == true: return .keyRefused
        case 400 where body.map(speaksOfHistory) == true: return .historyAltered
        case 400 where body?.message.containsIgnoringCase("token count") == true: return .inputTooLong
        case 401, 403: return .keyRefused
        case 404: return .modelNotFound
        case 408, 500...599: return .overloaded
        case 413: return .requestRefused
        case 429: return body?.quotaIDs.contains { $0.contains("PerDay") } == true ? .quotaOfDay : .quotaOfMinute
        case 499: return .cut
        case 400...499: return .requestRefused
        default: return .malformedReply
        }
    }

    /// The refusals that come from signatures, and from calls and responses that were torn apart.
    private static func speaksOfHistory(_ body: GeminiErrorBody) -> Bool {
        [
            "thought_signature", "thought signature", "function call turn", "function response turn",
            "function response parts",
        ]
        .contains { body.message.containsIgnoringCase($0) }
    }

    /// For errors inside a stream that name only their status.
    private static func httpStatus(of status: String?) -> Int {
        switch status {
        case "INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE": 400
        case "UNAUTHENTICATED": 401
        case "PERMISSION_DENIED": 403
        case "NOT_FOUND": 404
        case "RESOURCE_EXHAUSTED": 429
        case "CANCELLED": 499
        case "UNAVAILABLE": 503
        case "DEADLINE_EXCEEDED": 504
        default: 500
        }
    }

    private static func message(_ code: Code, _ status: Int, _ model: GeminiModelName?) -> String {
        let model = model.map { "'\($0)'" } ?? "what was asked for"
        return switch code {
        case .keyRefused: "Gemini does not accept the key (HTTP \(status))"
        case .preconditionFailed: "Gemini does not serve this key here (HTTP \(status)): region or billing"
        case .modelNotFound: "Gemini does not know \(model)"
        case .quotaOfDay: "the quota of the day for \(model) is used up"
        case .quotaOfMinute: "the quota of the minute for \(model) is used up"
        case .overloaded: "Gemini is overloaded or out of order (HTTP \(status))"
        case .historyAltered: "Gemini finds the history of calls altered (HTTP \(status))"
        case .inputTooLong: "the request has more tokens than \(model) reads"
        case .cut: "Gemini ended the call (HTTP \(status))"
        case .malformedReply: "not an answer of Gemini (HTTP \(status))"
        default: "Gemini refuses the request (HTTP \(status))"
        }
    }

    private static func hint(_ code: Code) -> String? {
        switch code {
        case .keyRefused: "check GEMINI_API_KEY"
        case .modelNotFound: "check PYAIRTABLE_CHAT_MODEL and GEMINI_API_VERSION; '-latest' names need v1beta"
        case .quotaOfDay: "wait until tomorrow, or choose another model"
        default: nil
        }
    }
}

extension GeminiError {
    /// What became of an outgoing call, in this target's words.
    init(_ error: OutboundError) {
        let (code, isTransient): (Code, Bool) =
            switch error.code {
            case .invalidAddress, .addressRefused: (.cannotConnect, false)
            case .cannotConnect: (.cannotConnect, true)
            case .connectionLost: (.cut, true)
            case .noReply, .stalled: (.timedOut, true)
            case .timedOut: (.timedOut, false)
            case .replyTooLarge: (.replyTooLarge, false)
            case .malformedReply: (.malformedReply, true)
            case .circuitOpen: (.overloaded, false)
            case .closed: (.cut, false)
            }
        self.init(code, error.message, hint: error.hint, detail: error.detail, isTransient: isTransient)
    }
}

extension JSONLimits {
    /// For replies, whose size the transport bounds: a hundred vectors of 3,072 numbers fit, and so do the deep
    /// arguments of a function call.
    static let geminiReply = JSONLimits(
        bytes: OutboundRequest.replyBytesMaxDefault,
        depth: 200,
        elements: 4_000_000,
        stringBytes: OutboundRequest.replyBytesMaxDefault
    )
}

extension String {
    fileprivate func containsIgnoringCase(_ word: String) -> Bool { lowercased().contains(word) }
}
