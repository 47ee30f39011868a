import Domain

/// `{"error":{…}}` as the API writes it (google.rpc.Status in JSON), read leniently.
struct GeminiErrorBody: Sendable, Hashable {
    var httpCode: Int?
    var message = ""
    var status: String?
    var retryDelay: Duration?
    var quotaIDs: [String] = []
    /// Of `ErrorInfo`, such as `API_KEY_INVALID`.
    var reasons: [String] = []
    /// Of `BadRequest`: where, and what was wrong there.
    var fieldViolations: [String] = []

    /// Nil when this is no error: neither the object, nor an array that begins with one.
    init?(_ json: JSONValue) {
        guard let error = (json.arrayValue?.first ?? json)["error"], !error.isNull else { return nil }
        guard error.objectValue != nil else {
            // Some proxies write a bare text.
            message = error.stringValue ?? ""
            return
        }
        httpCode = error["code"]?.wholeNumber
        message = error["message"]?.stringValue ?? ""
        status = error["status"]?.stringValue
        for detail in error["details"]?.arrayValue ?? [] { take(detail) }
    }

    private mutating func take(_ detail: JSONValue) {
        let type = detail["@type"]?.stringValue.map { $0.split(separator: ".").last.map(String.init) ?? $0 }
        switch type {
        case "RetryInfo":
            retryDelay = detail["retryDelay"]?.stringValue.flatMap { Duration(protobuf: $0) }
        case "QuotaFailure":
            for violation in detail["violations"]?.arrayValue ?? [] {
                quotaIDs.append(violation["quotaId"]?.stringValue ?? "")
            }
        case "ErrorInfo":
            if let reason = detail["reason"]?.stringValue { reasons.append(reason) }
        case "BadRequest":
            for violation in detail["fieldViolations"]?.arrayValue ?? [] {
                let field = violation["field"]?.stringValue ?? ""
                fieldViolations.append("\(field): \(violation["description"]?.stringValue ?? "")")
            }
        default: break
        }
    }

    /// Everything that helps to find the cause; for the log.
    var summary: String {
        ([status, message].compactMap(\.self) + reasons + quotaIDs + fieldViolations).joined(separator: "; ")
    }
}

extension Duration {
    /// A protobuf Duration in JSON: decimal seconds and `s`, such as `47.434s`. Nil when it is not, or is negative;
    /// what is beyond all patience stays so, at 10⁹ seconds.
    init?(protobuf text: String) {
        guard text.hasSuffix("s"), let seconds = Double(text.dropLast()), seconds.isFinite, seconds >= 0 else {
            return nil
        }
        self = .seconds(min(seconds, 1e9))
    }
}
