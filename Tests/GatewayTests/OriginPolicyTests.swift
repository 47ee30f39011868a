import HTTPTypes
import Testing

@testable import Gateway

@Suite("Origin policy")
struct OriginPolicyTests {
    struct Case: Sendable {
        var bound = "127.0.0.1"
        var allowed: [String] = []
        var origins: [String] = []
        var host: String? = "localhost:8080"
    }

    @Test(
        "may call",
        arguments: [
            Case(), Case(host: nil), Case(host: "127.0.0.1:8080"), Case(host: "[::1]:8080"), Case(host: "LOCALHOST"),
            Case(origins: ["http://localhost:8080"]), Case(origins: ["http://127.0.0.1:8080"], host: "127.0.0.1:8080"),
            Case(origins: ["http://[::1]:8080"], host: "[::1]:8080"), Case(origins: ["HTTP://LocalHost:8080"]),
            // One machine, called by two of its names.
            Case(origins: ["http://localhost:8080"], host: "127.0.0.1:8080"),
            Case(origins: ["http://127.0.0.1:8080"]), Case(origins: ["http://[::1]:8080"]),
            Case(origins: ["http://localhost:8080"], host: "[::1]:8080"),
            Case(origins: ["http://127.0.0.1"], host: "localhost"),
            Case(origins: ["http://localhost"], host: "localhost:80"),
            Case(origins: ["http://localhost:80"], host: "localhost"),
            Case(allowed: ["https://notes.example/"], origins: ["https://notes.example"]),
            Case(allowed: ["https://notes.example:443"], origins: ["https://notes.example"]),
            Case(allowed: ["app://desktop"], origins: ["app://desktop"]),
            // A proxy on this machine passes the public name on.
            Case(allowed: ["https://data.example"], host: "data.example"),
            Case(allowed: ["https://data.example"], origins: ["https://data.example"], host: "data.example:443"),
            Case(bound: "0.0.0.0", host: "data.example"),
            Case(bound: "0.0.0.0", origins: ["https://data.example"], host: "data.example"),
        ]
    )
    func allowed(_ example: Case) throws {
        try OriginPolicy(allowed: example.allowed, boundTo: example.bound)
            .check(origins: example.origins, host: example.host)
    }

    @Test(
        "GW-06: may not call",
        arguments: [
            Case(origins: ["http://evil.example"]), Case(origins: ["null"]), Case(origins: [""]),
            Case(origins: ["http://localhost:8081"]), Case(origins: ["https://localhost:8080/x"]),
            Case(origins: ["http://localhost:8080.evil.example"]), Case(origins: ["http://"]),
            Case(origins: ["ftp://localhost:8080"]), Case(origins: ["http://localhost:8080", "http://localhost:8080"]),
            Case(origins: ["http://localhost:8080"], host: nil),
            Case(origins: ["http://127.0.0.1:8081"]), Case(origins: ["http://127.0.0.1"]),
            Case(origins: ["http://[::1]:8081"]), Case(origins: ["http://[::1]x:8080"]),
            Case(origins: ["http://127.0.0.1.evil.example:8080"]),
            Case(origins: ["http://localhost.evil.example:8080"]),
            Case(origins: ["http://evil.example@localhost:8080"]), Case(origins: ["http://localhost:8080:8080"]),
            Case(bound: "0.0.0.0", origins: ["http://127.0.0.1:8080"]),
            // Its own name, pointing here.
            Case(host: "evil.example:8080"), Case(origins: ["http://evil.example:8080"], host: "evil.example:8080"),
            Case(host: "127.0.0.1.evil.example"), Case(host: "localhost.evil.example"), Case(host: "127.0.0.256"),
            Case(allowed: ["https://notes.example"], origins: ["http://notes.example"]),
            Case(allowed: ["https://notes.example"], origins: ["https://notes.example.evil.example"]),
            Case(bound: "0.0.0.0", origins: ["https://evil.example"], host: "data.example"),
        ]
    )
    func refused(_ example: Case) {
        #expect(throws: GatewayError(.foreignOrigin, "")) {
            try OriginPolicy(allowed: example.allowed, boundTo: example.bound)
                .check(origins: example.origins, host: example.host)
        }
    }
}
