import Foundation
import TestSupport
import Testing

/// Every feature of the product over real data, through the official SDK (`Tests/Clients/mcp_product.py`), in both eras.
@Suite("The product through the official SDK", .serialized)
struct ProductFeatureTests {
    @Test("over stdio")
    func stdio() async throws {
        try await withTemporaryDirectory { directory in
            let data = try await DemoData.copy(to: directory)
            try await CheckingClient.expectAll(
                "mcp_product.py",
                ["features", "stdio", Binary.url.path, "mcp", "--data", data],
                atLeast: 1_300
            )
        }
    }

    @Test("over HTTP, and over a bridge to the same server")
    func http() async throws {
        try await withTemporaryDirectory { directory in
            let data = try await DemoData.copy(to: directory)
            try await withServer(data: data) { url, key, _ in
                let server = [url, key]
                try await CheckingClient.expectAll("mcp_product.py", ["features", "http"] + server, atLeast: 1_300)
                try await CheckingClient.expectAll(
                    "mcp_product.py",
                    ["features", "bridge"] + server + [Binary.url.path, "mcp", "--url", url],
                    atLeast: 1_300
                )
            }
        }
    }
}
