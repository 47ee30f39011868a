import Domain

/// Tools that take their time, and tell of it.
extension FixtureTools {
    static func steps(on stage: FixtureStage) -> [FixtureTool] {
        [
            FixtureTool("test_tool_with_logging", "Logs three lines at level info while it runs.") { _, caller in
                await caller.log(.info, logger: logger, "Tool execution started")
                try await stage.pause(.milliseconds(50))
                await caller.log(.info, logger: logger, "Tool processing data")
                try await stage.pause(.milliseconds(50))
                await caller.log(.info, logger: logger, "Tool execution completed")
                return ToolResult(text: "Tool with logging executed successfully")
            },
            FixtureTool("test_tool_with_progress", "Reports its progress three times: 0, 50 and 100 of 100.") {
                _,
                caller in
                await caller.report(ToolProgress(done: 0, total: 100, message: "Step 1 of 3"))
                try await stage.pause(.milliseconds(50))
                await caller.report(ToolProgress(done: 50, total: 100, message: "Step 2 of 3"))
                try await stage.pause(.milliseconds(50))
                await caller.report(ToolProgress(done: 100, total: 100, message: "Step 3 of 3"))
                return ToolResult(text: "Tool with progress executed successfully")
            },
            FixtureTool("test_logging_tool", "Logs one line of each level.") { _, caller in
                for level in CallerLogLevel.allCases {
                    await caller.log(level, logger: logger, ["level": .string(level.rawValue)])
                }
                return ToolResult(text: "Logging evaluated")
            },
            FixtureTool("test_reconnection", "Lets go of the connection and answers a little later.") { _, caller in
                await caller.releaseConnection()
                try await stage.pause(.milliseconds(100))
                return ToolResult(text: "Reconnection test completed successfully")
            },
            FixtureTool(
                "test_wait",
                "Waits until it is cancelled, or for some milliseconds; test_waiting tells how many do.",
                input: .object(
                    properties: ["milliseconds": .integer(description: "How long.", minimum: 0, maximum: 30_000)],
                    required: ["milliseconds"]
                )
            ) { arguments, _ in
                try await stage.wait(.milliseconds(arguments["milliseconds"]?.intValue ?? 0))
                return ToolResult(text: "Waited")
            },
            FixtureTool(
                "test_waiting",
                "Tells how many calls of test_wait run, and how many were cancelled.",
                output: .object(
                    properties: ["running": .integer(minimum: 0), "cancelled": .integer(minimum: 0)],
                    required: ["running", "cancelled"]
                )
            ) { _, _ in
                let waits = stage.waits
                return ToolResult(
                    text: "\(waits.running) running, \(waits.cancelled) cancelled",
                    structured: [
                        "running": .number(JSONNumber(waits.running)),
                        "cancelled": .number(JSONNumber(waits.cancelled)),
                    ]
                )
            },
        ]
    }

    private static let logger = "conformance-fixtures"
}
