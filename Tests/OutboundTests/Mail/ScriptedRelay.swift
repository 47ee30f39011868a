import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import TestSupport

/// A mail relay on 127.0.0.1 that answers by its script, and keeps what it was told.
final class ScriptedRelay: Sendable {
    struct Script: Sendable {
        var greeting = "220 relay.example ESMTP"
        /// What follows EHLO, before and after STARTTLS.
        var extensions = ["AUTH PLAIN LOGIN", "SMTPUTF8"]
        /// What a command of this beginning is answered with, in place of the usual.
        var answers: [String: String] = [:]
        /// Sent in one piece with the answer to STARTTLS, before TLS.
        var injected = ""
        /// After which command the connection is closed.
        var closesAt: String?
        var isSilent = false
    }

    let port: Int
    private let channel: any Channel
    private let told: Guarded<[String]>

    /// Commands and lines of the mail, with `[TLS]` where the connection became protected.
    var lines: [String] { told.value }

    /// - Parameters:
    ///   - identity: certificate and key; nil for a relay that knows no TLS.
    ///   - implicit: whether TLS comes before the greeting.
    init(_ script: Script = Script(), identity: RelayIdentity? = nil, implicit: Bool = false) async throws {
        let told = Guarded<[String]>([])
        self.told = told
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if implicit, let identity {
                        try pipeline.addHandler(NIOSSLServerHandler(context: identity.context))
                    }
                    try pipeline.addHandler(RelayHandler(script, implicit ? nil : identity, told))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
    }

    func stop() async throws { try await channel.close() }
}

/// A certificate for `localhost` that signs itself, made anew for each test.
struct RelayIdentity: Sendable {
    let context: NIOSSLContext
    let certificate: String

    init(in directory: URL) throws {
        certificate = directory.appendingPathComponent("certificate.pem").path
        let key = directory.appendingPathComponent("key.pem").path
        let openssl = Process()
        openssl.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        openssl.arguments = [
            "openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-days",
            "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out",
            certificate,
        ]
        openssl.standardError = FileHandle.nullDevice
        try openssl.run()
        openssl.waitUntilExit()
        guard openssl.terminationStatus == 0 else { throw TestSupportError("openssl made no certificate") }
        context = try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) },
                privateKey: .privateKey(NIOSSLPrivateKey(file: key, format: .pem))
            )
        )
    }
}

private final class RelayHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let script: ScriptedRelay.Script
    private let identity: RelayIdentity?
    private let told: Guarded<[String]>
    private var unread = ""
    private var isInMail = false
    private var isProtected = false

    init(_ script: ScriptedRelay.Script, _ identity: RelayIdentity?, _ told: Guarded<[String]>) {
        self.script = script
        self.identity = identity
        self.told = told
    }

    func channelActive(context: ChannelHandlerContext) {
        if !script.isSilent { answer(script.greeting, context) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        unread += String(buffer: unwrapInboundIn(data))
        while let end = unread.unicodeScalars.firstIndex(of: "\n") {
            let line = String(unread.unicodeScalars[..<end].filter { $0 != "\r" }.map(Character.init))
            unread = String(unread.unicodeScalars[unread.unicodeScalars.index(after: end)...])
            told.value.append(line)
            take(line, context)
        }
    }

    private func take(_ line: String, _ context: ChannelHandlerContext) {
        if script.closesAt.map({ line.hasPrefix($0) }) == true { return context.close(promise: nil) }
        if isInMail {
            guard line == "." else { return }
            isInMail = false
            return answer(script.answers["."] ?? "250 taken", context)
        }
        let special = script.answers.first { line.hasPrefix($0.key) }?.value
        switch line.split(separator: " ").first {
        case _ where special != nil: answer(special ?? "", context)
        case "EHLO":
            let tls = identity != nil && !isProtected ? ["STARTTLS"] : []
            let all = ["relay.example"] + tls + script.extensions
            let lines = all.enumerated().map { "250\($0.offset == all.count - 1 ? " " : "-")\($0.element)" }
            answer(lines.joined(separator: "\r\n"), context)
        case "STARTTLS": beginTLS(context)
        case "AUTH": answer(line.hasPrefix("AUTH LOGIN") ? "334 VXNlcm5hbWU6" : "235 welcome", context)
        case "MAIL", "RCPT": answer("250 ok", context)
        case "DATA":
            isInMail = true
            answer("354 go on", context)
        case "QUIT": answer("221 bye", context)
        // The two lines of AUTH LOGIN.
        default:
            answer(
                told.value.suffix(2).first?.hasPrefix("AUTH LOGIN") == true ? "334 UGFzc3dvcmQ6" : "235 welcome",
                context
            )
        }
    }

    private func beginTLS(_ context: ChannelHandlerContext) {
        answer("220 go on" + (script.injected.isEmpty ? "" : "\r\n" + script.injected), context)
        guard script.injected.isEmpty, let identity else { return }
        isProtected = true
        told.value.append("[TLS]")
        try? context.pipeline.syncOperations.addHandler(
            NIOSSLServerHandler(context: identity.context),
            position: .first
        )
    }

    private func answer(_ text: String, _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text + "\r\n")), promise: nil)
    }
}
