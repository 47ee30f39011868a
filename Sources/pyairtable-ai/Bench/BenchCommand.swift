import ArgumentParser

/// Measures the product at work, for docs/performance.md. `Benchmarks/product.py` calls it.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure the product at work on a data directory.",
        shouldDisplay: false,
        subcommands: [
            FreshnessBench.self, JobsBench.self, ChatBench.self, AirtableBench.self, HostedBench.self,
            PermissionBench.self, GatewayBench.self, BareBench.self, MCPBench.self,
        ]
    )
}
