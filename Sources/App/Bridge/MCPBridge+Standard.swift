public import Domain
public import Logging
public import Outbound

extension MCPBridge {
    /// Bridges standard input and output to a server, until the input ends or the task is cancelled.
    ///
    /// - Parameters:
    ///   - key: of that server.
    ///   - selection: what its tools are narrowed to, for this client.
    public static func serveStandard(
        _ address: BridgeAddress,
        key: OutboundSecret?,
        selection: ToolSelection = .everything,
        logger: Logger
    ) async {
        // Its own machine and its neighbours are where most servers are: the operator named this one.
        let calls = OutgoingCalls(allowing: [AllowedHost(address.address)])
        let lines = StandardLines()
        let bridge = MCPBridge(
            url: address.text,
            key: key,
            selection: selection,
            transport: calls.transport,
            logger: logger
        ) { try await lines.write($0) }
        await bridge.run(lines)
        await calls.shutdown()
    }

    /// Headers that only ever narrow what a server offers.
    static func headers(of selection: ToolSelection) -> [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = []
        if let toolsets = selection.toolsets {
            headers.append((name: "X-MCP-Toolsets", value: toolsets.map(\.rawValue).sorted().joined(separator: ",")))
        }
        if let names = selection.names {
            headers.append((name: "X-MCP-Tools", value: names.sorted().joined(separator: ",")))
        }
        if selection.isReadOnly { headers.append((name: "X-MCP-Readonly", value: "true")) }
        return headers
    }
}
