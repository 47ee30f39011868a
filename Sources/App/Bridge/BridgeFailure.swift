import Domain
import Outbound

/// Why a request got no answer of MCP's: as the client is told, in an error of JSON-RPC.
struct BridgeFailure: Error, Sendable, Hashable {
    /// Outside of what JSON-RPC and MCP keep for themselves, but for its own.
    enum Code: Int, Sendable {
        /// Nobody answers at the address.
        case away = -31_010
        /// A server answers and refuses, or is none of ours.
        case refused = -31_011
        /// The client has too much under way.
        case tooMany = -31_000
        /// What no server would take.
        case invalid = -32_600
    }

    let code: Code
    let message: String
    var status: Int?

    static func away(_ error: any Error, _ url: String) -> Self {
        let reason = (error as? any Failure)?.message ?? "\(error)"
        return Self(code: .away, message: "The server at \(url) does not answer: \(reason). Is it running?")
    }

    static func refused(_ status: Int, _ body: [UInt8]) -> Self {
        let problem = try? JSONValue(parsing: body)
        let detail = problem?["detail"]?.stringValue ?? problem?["error_description"]?.stringValue
        let hint = status == 401 ? " PYAIRTABLE_KEY must hold a key of that server (`pyairtable-ai key create`)." : ""
        let message = "The server refused: \(detail ?? "status \(status)")\(hint)"
        return Self(code: .refused, message: message, status: status)
    }

    static func cut(_ error: (any Error)? = nil) -> Self {
        let reason = (error as? any Failure).map { ": \($0.message)" } ?? ""
        return Self(code: .away, message: "The server's answer broke off\(reason). Whether it was done is not known.")
    }

    static let tooMany = Self(
        code: .tooMany,
        message: "Too many requests are under way; send it again after an answer."
    )

    static let inFlight = Self(code: .invalid, message: "Another request with this id is still in flight")

    func line(for id: JSONValue) -> [UInt8] {
        var error: JSONObject = ["code": .number(JSONNumber(code.rawValue)), "message": .string(message)]
        if let status { error["data"] = ["status": .number(JSONNumber(status))] }
        let message: JSONValue = ["jsonrpc": "2.0", "id": id, "error": .object(error)]
        return message.encoded()
    }
}
