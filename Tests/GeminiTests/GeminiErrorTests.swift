import Domain
import Outbound
import TestSupport
import Testing

@testable import Gemini

/// One row of the reference's table of errors.
struct GeminiErrorRow: Sendable, CustomTestStringConvertible {
    var status: Int
    var body: String
    var header: String?
    var code: GeminiError.Code
    var isTransient = false
    var retryAfter: Duration?
    var testDescription: String { "\(status) \(body.prefix(60))" }

    private static func error(_ code: Int, _ status: String, _ message: String = "m", _ details: String = "") -> String
    {
        #"{"error":{"code":\#(code),"message":"\#(message)","status":"\#(status)","details":[\#(details)]}}"#
    }

    private static func retryInfo(_ delay: String) -> String {
        #"{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"\#(delay)"}"#
    }

    private static func quota(_ ids: String...) -> String {
        let violations = ids.map { #"{"quotaMetric":"m","quotaId":"\#($0)","quotaDimensions":{},"quotaValue":"1"}"# }
        return #"{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":["#
            + violations.joined(separator: ",")
            + "]}"
    }

    private static let keyInvalid =
        #"{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}"#

    static let all = [
        Self(status: 400, body: error(400, "INVALID_ARGUMENT"), code: .requestRefused),
        Self(status: 400, body: error(400, "INVALID_ARGUMENT", "m", keyInvalid), code: .keyRefused),
        Self(status: 400, body: error(400, "INVALID_ARGUMENT", "API key not valid."), code: .keyRefused),
        Self(status: 400, body: error(400, "FAILED_PRECONDITION"), code: .preconditionFailed),
        Self(
            status: 400,
            body: error(400, "INVALID_ARGUMENT", "is missing a thought_signature in"),
            code: .historyAltered
        ),
        Self(
            status: 400,
            body: error(400, "INVALID_ARGUMENT", "Please ensure that function call turn comes immediately after"),
            code: .historyAltered
        ),
        Self(
            status: 400,
            body: error(400, "INVALID_ARGUMENT", "The input token count (9) exceeds the maximum"),
            code: .inputTooLong
        ),
        Self(status: 400, body: "[" + error(400, "INVALID_ARGUMENT") + "]", code: .requestRefused),
        Self(status: 401, body: error(401, "UNAUTHENTICATED"), code: .keyRefused),
        Self(status: 403, body: error(403, "PERMISSION_DENIED"), code: .keyRefused),
        Self(status: 404, body: error(404, "NOT_FOUND"), code: .modelNotFound),
        Self(
            status: 429,
            body: error(429, "RESOURCE_EXHAUSTED", "m", quota("PerMinute-Free") + "," + retryInfo("47.434s")),
            code: .quotaOfMinute,
            isTransient: true,
            retryAfter: .seconds(47.434)
        ),
        Self(
            status: 429,
            body: error(
                429,
                "RESOURCE_EXHAUSTED",
                "m",
                quota("PerMinute", "RequestsPerDayPerModel") + "," + retryInfo("3s")
            ),
            code: .quotaOfDay,
            retryAfter: .seconds(3)
        ),
        Self(
            status: 429,
            body: error(429, "RESOURCE_EXHAUSTED", "m", retryInfo("99999999999999999999s")),
            code: .quotaOfMinute,
            isTransient: true,
            retryAfter: .seconds(1e9)
        ),
        Self(
            status: 429,
            body: error(429, "RESOURCE_EXHAUSTED"),
            header: "7",
            code: .quotaOfMinute,
            isTransient: true,
            retryAfter: .seconds(7)
        ),
        Self(status: 408, body: "", code: .overloaded, isTransient: true),
        Self(status: 499, body: error(499, "CANCELLED"), code: .cut),
        Self(status: 500, body: error(500, "INTERNAL"), code: .overloaded, isTransient: true),
        Self(status: 502, body: "<html>Bad Gateway</html>", code: .overloaded, isTransient: true),
        Self(status: 503, body: error(503, "UNAVAILABLE"), code: .overloaded, isTransient: true),
        Self(status: 504, body: error(504, "DEADLINE_EXCEEDED"), code: .overloaded, isTransient: true),
        Self(status: 413, body: "<html>too large</html>", code: .requestRefused),
        Self(status: 418, body: "teapot", code: .requestRefused),
        Self(status: 302, body: "", code: .malformedReply),
        Self(status: 503, body: #"{"error":"plain text"}"#, code: .overloaded, isTransient: true),
        Self(
            status: 429,
            body: #"{"error":{"code":"429","details":7,"message":null}}"#,
            code: .quotaOfMinute,
            isTransient: true
        ),
    ]
}

@Suite("Gemini's errors")
struct GeminiErrorTests {
    @Test("each kind has its code, says whether to try again and when", arguments: GeminiErrorRow.all)
    func row(_ row: GeminiErrorRow) async throws {
        let headers = row.header.map { [(name: "retry-after", value: $0)] } ?? []
        let transport = ScriptedTransport([.init(status: row.status, headers: headers, pieces: [Array(row.body.utf8)])])
        let (_, _, error) = try await transport.client(attemptsMax: 1).collected()
        let found = try #require(error)
        #expect(found.code == row.code)
        #expect(found.isTransient == row.isTransient)
        #expect(found.retryAfter == row.retryAfter)
        #expect(found.status == row.status)
        let words = "\(found)"
        #expect(!words.contains("<html>"))
    }

    @Test("transient ones are tried again, others not, none beyond the bound", arguments: GeminiErrorRow.all)
    func retries(_ row: GeminiErrorRow) async throws {
        let transport = ScriptedTransport([.init(status: row.status, pieces: [Array(row.body.utf8)])])
        _ = try await transport.client(attemptsMax: 3).collected()
        let isPatient = row.retryAfter.map { $0 < RetryPolicy.standard.hintMax } ?? true
        #expect(transport.requests.count == (row.isTransient && isPatient ? 3 : 1))
    }

    @Test(
        "what becomes of the connection is told apart",
        arguments: [
            (OutboundError.Code.cannotConnect, GeminiError.Code.cannotConnect, 3), (.connectionLost, .cut, 3),
            (.noReply, .timedOut, 3), (.stalled, .timedOut, 3), (.timedOut, .timedOut, 1),
            (.replyTooLarge, .replyTooLarge, 1),
            (.circuitOpen, .overloaded, 1), (.addressRefused, .cannotConnect, 1), (.malformedReply, .malformedReply, 3),
        ]
    )
    func connection(_ outbound: OutboundError.Code, _ code: GeminiError.Code, _ requests: Int) async throws {
        let transport = ScriptedTransport([.init(failure: OutboundError(outbound, "m"))])
        let (_, _, error) = try await transport.client().collected()
        #expect(error?.code == code)
        #expect(transport.requests.count == requests)
    }

    @Test("a refusal whose body breaks off still says what its status says")
    func brokenRefusal() async throws {
        let transport = ScriptedTransport([
            .init(status: 403, pieces: [Array(#"{"err"#.utf8)], failure: OutboundError(.connectionLost, "m"))
        ])
        let (_, _, error) = try await transport.client().collected()
        #expect(error?.code == .keyRefused)
    }

    @Test("a key that the server echoes is taken out everywhere")
    func echo() async throws {
        let body: JSONValue = ["error": ["code": 400, "message": "bad key-in-tests!", "status": "INVALID_ARGUMENT"]]
        let transport = ScriptedTransport([.json(body, status: 400)])
        let seen = Guarded<[GeminiExchange]>([])
        let call = GeminiCall(onExchange: { exchange in seen.update { $0.append(exchange) } })
        await #expect(throws: GeminiError.self) {
            do {
                _ = try await transport.client().turn(.asking(), model: "x", call: call) { _ in }
            } catch let error as GeminiError {
                #expect(error.detail?.contains("bad <redacted>!") == true)
                throw error
            }
        }
        #expect(seen.value.count == 1)
        #expect(String(decoding: seen.value[0].reply, as: UTF8.self).contains("<redacted>"))
        #expect(!"\(seen.value)".contains("key-in-tests"))
    }

    @Test(
        "delays are protobuf's durations",
        arguments: [("47.434s", 47.434), ("0s", 0), ("3s", 3), ("-1s", nil), ("3", nil), ("s", nil), ("nans", nil)]
            as [(String, Double?)]
    )
    func durations(_ text: String, _ seconds: Double?) {
        #expect(Duration(protobuf: text) == seconds.map { .seconds($0) })
    }
}
