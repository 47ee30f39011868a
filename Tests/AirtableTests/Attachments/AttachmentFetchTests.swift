import Database
import Domain
import Outbound
import TestSupport
import Testing

@testable import Airtable

@Suite("Attachments by address")
struct AttachmentFetchTests {
    private func fetch(_ fixture: AttachmentFixture, _ url: String, _ filename: String? = nil) async throws
        -> Attachment
    {
        try await fixture.service.fetch(url, filename: filename, base: fixture.base, context: fixture.store.context)
    }

    private func server(_ answer: @escaping @Sendable (RawPeer, RawRequest) throws -> Void) throws -> RawServer {
        try RawServer { peer in
            while let request = try peer.request() { try answer(peer, request) }
        }
    }

    @Test("come whole, with the name that was asked for, that the sender gives, or the address has")
    func names() async throws {
        try await withAttachments(.sqlite) { fixture in
            let server = try server { peer, request in
                let headers =
                    request.path.hasPrefix("/named") ? ["content-disposition: attachment; filename=\"n.csv\""] : []
                try peer.reply(200, "a,b\n1,2\n", type: "application/octet-stream", headers: headers)
            }
            let plain = try await fetch(fixture, server.url + "/files/t%20able.csv?token=1")
            #expect(plain.filename == "t able.csv" && plain.type == "text/csv" && plain.size == 8)
            #expect(try await fetch(fixture, server.url + "/named/x").filename == "n.csv")
            #expect(try await fetch(fixture, server.url + "/named/x", "mine.txt").filename == "mine.txt")
            #expect(try await fetch(fixture, server.url + "/").filename == "untitled")
            let links = try await fixture.service.links(tenant: fixture.store.context.tenant, origin: "")
            #expect(try await fixture.bytes(links.address(of: plain)) == Array("a,b\n1,2\n".utf8))
        }
    }

    @Test("follow three redirects, of which each is looked at, and no fourth")
    func redirects() async throws {
        try await withAttachments(.sqlite) { fixture in
            let inside = Guarded(0)
            // Same machine, another address of the loopback network: not on the allow list.
            let server = try server { peer, request in
                inside.update { $0 += 1 }
                let number = Int(request.path.dropFirst(2)) ?? 0
                switch request.path.dropFirst().first {
                case "r" where number > 0: try peer.reply(302, "", headers: ["location: /r\(number - 1)"])
                case "p": try peer.reply(301, "", headers: ["location: http://127.0.0.2:1/secret"])
                case "n": try peer.reply(302, "")
                case "f": try peer.reply(307, "", headers: ["location: file:///etc/passwd"])
                case "e": try peer.reply(404, "gone")
                default: try peer.reply(200, "here", type: "text/plain")
                }
            }
            #expect(try await fetch(fixture, server.url + "/r3").filename == "r0")
            for path in ["/r4", "/p", "/n", "/f", "/e"] {
                await expectFailure(.attachmentsFailed) { try await fetch(fixture, server.url + path) }
            }
            #expect(inside.value == 4 + 4 + 4)
            #expect(try fixture.incoming().isEmpty)
        }
    }

    @Test("are asked for only where calls may go")
    func guarded() async throws {
        let requests = Guarded(0)
        let server = try server { peer, _ in
            requests.update { $0 += 1 }
            try peer.reply(200, "x")
        }
        try await withAttachments(.sqlite, allowing: []) { fixture in
            for url in [
                server.url, "http://localhost:\(server.port)/", "ftp://127.0.0.1/", "file:///etc/passwd", "", "x",
                "http://[::1]:\(server.port)/", "http://user:pass@127.0.0.1/", "http://0.0.0.0:\(server.port)/",
            ] {
                await expectFailure(.attachmentsFailed) { try await fetch(fixture, url) }
            }
        }
        #expect(requests.value == 0)
    }

    @Test("are not asked for by names that lead inside, at the first look or the second")
    func byName() async throws {
        let sent = Guarded<[UInt8]>([])
        let server = try RawServer { peer in
            while let request = try peer.request() {
                sent.update { $0 += Array(request.head.utf8) }
                try peer.reply(200, "inside")
            }
        }
        let port = server.port
        // One that says where it leads; one of whose addresses one is inside; one that says it is outside, and whose
        // socket then reaches this machine; one that may be called, but not in plain text.
        let resolver = StatedResolver([
            "inside.example": ["127.0.0.1"], "mixed.example": ["8.8.8.8", "::1"], "localhost": ["8.8.8.8"],
            "plain.example": ["8.8.8.8"],
        ])
        try await withAttachments(.sqlite, allowing: [], resolver: resolver) { fixture in
            for url in [
                "https://inside.example:\(port)/", "http://inside.example:\(port)/", "https://mixed.example:\(port)/",
                "https://localhost:\(port)/", "http://plain.example/", "https://unknown.example/",
            ] {
                await expectFailure(.attachmentsFailed) { try await fetch(fixture, url) }
            }
            let left = try fixture.incoming()
            #expect(left.isEmpty)
        }
        #expect(!String(decoding: sent.value, as: UTF8.self).contains("GET"))
    }

    @Test("are given up when they announce too much, or never end")
    func endless() async throws {
        try await withAttachments(.sqlite) { fixture in
            let server = try server { peer, request in
                guard request.path == "/endless" else {
                    return try peer.send("HTTP/1.1 200 OK\r\ncontent-length: \(Limits.attachmentBytes + 1)\r\n\r\nx")
                }
                try peer.beginChunks(type: "text/plain")
                // Until the other side has had enough: then sending fails, and with it this.
                while true { try peer.chunk("and so on ") }
            }
            let began = ContinuousClock.now
            await expectFailure(.attachmentsFailed) { try await fetch(fixture, server.url + "/large") }
            await expectFailure(.attachmentsFailed) {
                try await fixture.service.fetch(
                    server.url + "/endless",
                    filename: nil,
                    until: .now + .milliseconds(300),
                    base: fixture.base,
                    context: fixture.store.context
                )
            }
            // Far below what a fetch may take altogether.
            #expect(ContinuousClock.now - began < Limits.attachmentFetchTime / 2)
            #expect(try fixture.incoming().isEmpty && fixture.files().isEmpty)
        }
    }

    @Test("are stored as they come, and refused when packed for the way: nothing is unpacked")
    func packed() async throws {
        try await withAttachments(.sqlite) { fixture in
            // Ten bytes of gzip's head that promise gigabytes.
            let bomb: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 3] + [UInt8](repeating: 0xFF, count: 500)
            let server = try server { peer, request in
                let encoding = request.path == "/packed" ? "content-encoding: gzip\r\n" : ""
                try peer.send("HTTP/1.1 200 OK\r\n\(encoding)content-length: \(bomb.count)\r\n\r\n")
                try peer.send(bomb)
            }
            await expectFailure(.attachmentsFailed) { try await fetch(fixture, server.url + "/packed") }
            let stored = try await fetch(fixture, server.url + "/bomb.gz")
            #expect(stored.size == Int64(bomb.count) && stored.type == "application/gzip")
            let links = try await fixture.service.links(tenant: fixture.store.context.tenant, origin: "")
            #expect(try await fixture.bytes(links.address(of: stored)) == bomb)
        }
    }

    @Test("are asked for as browsers do when people's letters stand in their path")
    func letters() async throws {
        try await withAttachments(.sqlite) { fixture in
            let paths = Guarded<[String]>([])
            let server = try server { peer, request in
                paths.update { $0.append(request.path) }
                try peer.reply(200, "x", type: "text/plain")
            }
            let stored = try await fetch(fixture, server.url + "/Größe 1.txt?a=ö#part")
            #expect(stored.filename == "Größe 1.txt")
            #expect(paths.value == ["/Gr%C3%B6%C3%9Fe%201.txt?a=%C3%B6"])
            await expectFailure(.attachmentsFailed) { try await fetch(fixture, "https://größe.example/") }
        }
    }

    @Test("that end early, or fail for one of several, leave no cell and no file")
    func cut() async throws {
        try await withAttachments(.sqlite) { fixture in
            let server = try server { peer, request in
                guard request.path == "/cut" else { return try peer.reply(200, "whole") }
                try peer.send("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
                peer.close()
            }
            await expectFailure(.attachmentsFailed) { try await fetch(fixture, server.url + "/cut") }
            await expectFailure(.attachmentsFailed) {
                try await fixture.resolve([
                    .url(server.url + "/a", filename: nil), .url(server.url + "/cut", filename: nil),
                ])
            }
            #expect(try fixture.incoming().isEmpty)
            let both = try await fixture.resolve([
                .url(server.url + "/a", filename: nil), .url(server.url + "/b", filename: "B"),
            ])
            #expect(both.map { $0?.filename } == ["a", "B"])
        }
    }

    @Test(
        "resolve a relative Location against where it came from",
        arguments: [
            ("https://o/x", "http://h/a/b", "https://o/x"), ("/x?y#z", "http://h:1/a/b?c", "http://h:1/x?y"),
            ("x", "http://h/a/b?c=/d", "http://h/a/x"), ("x", "http://h", "http://h/x"),
            ("//o/x", "https://h/a", "https://o/x"), ("?q", "http://h/a/b", "http://h/a/b?q"),
            ("#only", "http://h/a", nil), ("", "http://h/a", nil),
        ] as [(String, String, String?)]
    )
    func locations(_ location: String, _ base: String, _ expected: String?) {
        #expect(AttachmentFetcher.resolve(location, from: base) == expected)
    }
}

/// Says for each host what it is told to, and never asks anybody.
private struct StatedResolver: HostResolver {
    private let known: [String: [IPAddress]]

    init(_ known: [String: [String]]) { self.known = known.mapValues { $0.compactMap { IPAddress($0) } } }

    func addresses(of host: String) async throws -> [IPAddress] {
        if let literal = IPAddress(host) { return [literal] }
        guard let found = known[host] else { throw OutboundError(.cannotConnect, "no such host") }
        return found
    }
}
