import Domain
import HTTPTypes
import HummingbirdTesting
import Testing

@testable import Gateway

/// The protocol with a handshake, and the one without.
enum PolicyEra: String, CaseIterable, Sendable {
    case session = "2025-11-25"
    case alone = "2026-07-28"
}

/// A client of `/mcp` in one of the eras. It cannot ask its user.
struct PolicyClient {
    struct Reply {
        let status: Int
        let json: JSONValue?
        let challenge: String?

        var result: JSONValue? { json?["result"] }
        var isRefusal: Bool { result == nil || result?["isError"] == true }
        /// All of it that says something, without what names the request.
        var text: String {
            if let error = json?["error"] { return error.text }
            guard var members = result?.objectValue else { return json?.text ?? "" }
            members["_meta"] = nil
            return JSONValue.object(members).text
        }
    }

    let client: any TestClientProtocol
    let bearer: String
    let era: PolicyEra
    private var session: String?

    init(_ client: any TestClientProtocol, bearer: String, era: PolicyEra) async throws {
        (self.client, self.bearer, self.era) = (client, bearer, era)
        guard era == .session else { return }
        let hello: JSONValue = [
            "jsonrpc": "2.0", "id": 0, "method": "initialize",
            "params": [
                "protocolVersion": .string(era.rawValue), "capabilities": [:],
                "clientInfo": ["name": "c", "version": "1"],
            ],
        ]
        let answer = try await client.send(.post, "/mcp", key: bearer, body: hello.text)
        let opened: String? = answer.headers[HTTPField.Name("Mcp-Session-Id")!]
        let id = try #require(opened, "\(answer.text)")
        session = id
    }

    /// - Parameter canAsk: whether the client says that it can ask its user; of the era without sessions.
    func ask(_ method: String, _ params: JSONObject = [:], canAsk: Bool = false) async throws -> Reply {
        var params = params
        // No stream, however busy the machine is.
        var headers: HTTPFields = [HTTPField.Name("MCP-Protocol-Version")!: era.rawValue, .accept: "application/json"]
        if let session {
            headers[HTTPField.Name("Mcp-Session-Id")!] = session
        } else {
            params["_meta"] = [
                "io.modelcontextprotocol/protocolVersion": .string(era.rawValue),
                "io.modelcontextprotocol/clientCapabilities": canAsk ? ["elicitation": [:]] : [:],
            ]
            headers[HTTPField.Name("Mcp-Method")!] = method
            if let name = params["name"]?.stringValue ?? params["uri"]?.stringValue {
                headers[HTTPField.Name("Mcp-Name")!] = name
            }
            if let base = params["arguments"]?["base"]?.stringValue {
                headers[HTTPField.Name("Mcp-Param-Airtable-Base")!] = base
            }
        }
        let message: JSONValue = ["jsonrpc": "2.0", "id": 1, "method": .string(method), "params": .object(params)]
        let answer = try await client.send(.post, "/mcp", key: bearer, headers: headers, body: message.text)
        return Reply(status: answer.status, json: answer.json, challenge: answer.headers[.wwwAuthenticate])
    }
}
