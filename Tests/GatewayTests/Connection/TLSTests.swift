import Domain
import Foundation
import Hummingbird
import HummingbirdTesting
import NIOCore
import NIOPosix
import NIOSSL
import TestSupport
import Testing

@testable import Gateway

@Suite("TLS")
struct TLSTests {
    /// Self-signed for localhost, for a hundred years; of no use but here.
    private static let certificates = [
        """
        -----BEGIN CERTIFICATE-----
        MIIBmDCCAT+gAwIBAgIUHvIVYykIz+ScZc4Sqqp0eDeprt4wCgYIKoZIzj0EAwIw
        EzERMA8GA1UEAwwIb25lLnRlc3QwIBcNMjYxMTI5MTkwNzA4WhgPMjEyNjExMDUx
        OTA3MDhaMBMxETAPBgNVBAMMCG9uZS50ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0D
        AQcDQgAEVz/oxeghFPCgqk6nx3WofVe1c1VJx0TQwKidal6rcWBqVTvnjxQj7RS0
        gtBE3mp1SLrNJEPRr5ArZ9cwPIdI9aNvMG0wHQYDVR0OBBYEFBs8u6RC2a5K9v4T
        JwTaS5yPjiHEMB8GA1UdIwQYMBaAFBs8u6RC2a5K9v4TJwTaS5yPjiHEMA8GA1Ud
        EwEB/wQFMAMBAf8wGgYDVR0RBBMwEYIJbG9jYWxob3N0hwR/AAABMAoGCCqGSM49
        BAMCA0cAMEQCICgKywv8DASkqGwqLrf/1W2+BY6QfnmDU8q1w8Qrop/qAiAgrcqx
        rOJ4d1Ntbn2u9iy+Ww1k9bZI5Y1hyAfCkjkkkQ==
        -----END CERTIFICATE-----
        """,
        """
        -----BEGIN CERTIFICATE-----
        MIIBmDCCAT+gAwIBAgIUVZMyplA7CaRDWv2YEXs4NP3I0aowCgYIKoZIzj0EAwIw
        EzERMA8GA1UEAwwIdHdvLnRlc3QwIBcNMjYxMTI5MTkwNzA4WhgPMjEyNjExMDUx
        OTA3MDhaMBMxETAPBgNVBAMMCHR3by50ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0D
        AQcDQgAEkXxmMGWzbJ+9jnDlxguS1CkVVfAeYxdwOijfXwQXHF1TyMen+R7TIO4c
        DjDQohK+LRYeLHZEnWJp8/z26skhFKNvMG0wHQYDVR0OBBYEFHphu8oeulU+9OOT
        8d2JrEJIdywRMB8GA1UdIwQYMBaAFHphu8oeulU+9OOT8d2JrEJIdywRMA8GA1Ud
        EwEB/wQFMAMBAf8wGgYDVR0RBBMwEYIJbG9jYWxob3N0hwR/AAABMAoGCCqGSM49
        BAMCA0cAMEQCIEBgLlGCjJEP3A0QojXKMqvNyot4CQQfcaXA0beF4ZbNAiBt4gf8
        G9PQj2HUGC5+ArM2tk0uqnHxLXf2ybSTixfvQw==
        -----END CERTIFICATE-----
        """,
    ]
    private static let keys = [
        """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgrYUhuxswBKk8xtI7
        kpapMCaDGZmmSatLHWa6smD3eUChRANCAARXP+jF6CEU8KCqTqfHdah9V7VzVUnH
        RNDAqJ1qXqtxYGpVO+ePFCPtFLSC0ETeanVIus0kQ9GvkCtn1zA8h0j1
        -----END PRIVATE KEY-----
        """,
        """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgVmiU8eki80DlCnKM
        QKQXwV8UjNKLcdGog1CD4cJi2iKhRANCAASRfGYwZbNsn72OcOXGC5LUKRVV8B5j
        F3A6KN9fBBccXVPIx6f5HtMg7hwOMNCiEr4tFh4sdkSdYmnz/PbqySEU
        -----END PRIVATE KEY-----
        """,
    ]

    private static func write(_ place: Int, in directory: URL, key: Int? = nil) throws -> TLSFiles {
        let files = TLSFiles(certificate: directory.path + "/certificate.pem", key: directory.path + "/key.pem")
        try certificates[place].write(toFile: files.certificate, atomically: true, encoding: .utf8)
        try keys[key ?? place].write(toFile: files.key, atomically: true, encoding: .utf8)
        return files
    }

    private static let request = "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

    @Test("GW-15: answers come encrypted, by 1.2 and 1.3, and say that they always will; older versions get none")
    func versions() async throws {
        try await withTLS { port, _, _ in
            for version in [TLSVersion.tlsv12, .tlsv13] {
                let text = try await Self.ask(port, trusting: 0, version: version)
                #expect(text.hasPrefix("HTTP/1.1 200 "), "\(version)")
                #expect(text.lowercased().contains("strict-transport-security: max-age=31536000"))
            }
            for version in [TLSVersion.tlsv1, .tlsv11] {
                await #expect(throws: (any Error).self) { try await Self.ask(port, trusting: 0, version: version) }
            }
        }
    }

    @Test("GW-15: plain HTTP on the same port is neither answered nor sent elsewhere")
    func plain() async throws {
        try await withTLS { port, _, _ in
            let connection = try await ByteConnection(port: port)
            try await connection.send(Self.request)
            #expect(!String(decoding: await connection.readToEnd(), as: UTF8.self).contains("HTTP/"))
        }
    }

    @Test("a new certificate is shown once it was read, and a broken one leaves the old")
    func reload() async throws {
        try await withTLS { port, keeper, directory in
            _ = try Self.write(1, in: directory)
            #expect(try await Self.ask(port, trusting: 0, version: .tlsv13).hasPrefix("HTTP/1.1 200 "))
            try keeper.reload()
            #expect(try await Self.ask(port, trusting: 1, version: .tlsv13).hasPrefix("HTTP/1.1 200 "))
            await #expect(throws: (any Error).self) { try await Self.ask(port, trusting: 0, version: .tlsv13) }
            try "nonsense".write(toFile: directory.path + "/certificate.pem", atomically: true, encoding: .utf8)
            #expect(throws: TLSError(.unreadableCertificate, "", nil)) { try keeper.reload() }
            #expect(try await Self.ask(port, trusting: 1, version: .tlsv13).hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test("what cannot be used is said when the server starts")
    func broken() async throws {
        try await withTemporaryDirectory { directory in
            let files = try Self.write(0, in: directory, key: 1)
            #expect(throws: TLSError(.mismatch, "", nil)) { try TLSKeeper(files) }
            #expect(throws: TLSError(.unreadableKey, "", nil)) {
                try TLSKeeper(TLSFiles(certificate: files.certificate, key: "/nowhere"))
            }
            #expect(throws: TLSError(.unreadableCertificate, "", nil)) {
                try TLSKeeper(TLSFiles(certificate: "/nowhere", key: files.key))
            }
        }
    }

    private func withTLS(_ body: @escaping @Sendable (Int, TLSKeeper, URL) async throws -> Void) async throws {
        try await withTemporaryDirectory { directory in
            let keeper = try TLSKeeper(try Self.write(0, in: directory))
            try await withGateway { fixture in
                let running = PortSignal()
                let server = fixture.server(tls: keeper) { port in await running.fire(port ?? 0) }
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    tasks.addTask { try await server.publicApplication.run() }
                    let port = await running.wait()
                    try await body(port, keeper, directory)
                    tasks.cancelAll()
                    // Being cancelled is how it ends.
                    try? await tasks.waitForAll()
                }
            }
        }
    }

    /// All that comes back.
    private static func ask(_ port: Int, trusting place: Int, version: TLSVersion) async throws -> String {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = version
        configuration.maximumTLSVersion = version
        configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(certificates[place].utf8)))
        let context = try NIOSSLContext(configuration: configuration)
        let promise = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: String.self)
        do {
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: "localhost"))
                        try pipeline.addHandler(Answer(promise))
                    }
                }
                .connect(host: "127.0.0.1", port: port).get()
            channel.eventLoop.scheduleTask(in: .seconds(20)) { channel.close(promise: nil) }
            try await channel.writeAndFlush(ByteBuffer(string: request)).get()
        } catch {
            promise.fail(error)
        }
        return try await promise.futureResult.get()
    }

    private final class Answer: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let promise: EventLoopPromise<String>
        private var bytes = ByteBuffer()

        init(_ promise: EventLoopPromise<String>) { self.promise = promise }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var part = unwrapInboundIn(data)
            bytes.writeBuffer(&part)
        }

        func channelInactive(context: ChannelHandlerContext) { promise.succeed(String(buffer: bytes)) }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            // A server that closes without TLS's own goodbye has still answered.
            if bytes.readableBytes > 0 { promise.succeed(String(buffer: bytes)) } else { promise.fail(error) }
            context.close(promise: nil)
        }
    }
}
