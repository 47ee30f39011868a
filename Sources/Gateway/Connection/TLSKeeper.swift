public import Domain
import NIOSSL
import Synchronization

/// Where a listener's certificate and key lie.
public struct TLSFiles: Sendable, Hashable {
    /// The certificate and what leads to its root, in PEM.
    public var certificate: String
    /// Its private key, in PEM.
    public var key: String

    public init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }
}

/// Ends TLS for the public listener: versions 1.2 and 1.3, HTTP/1.1 inside.
///
/// The files can be read again while the server runs: new connections are then shown the new certificate, open ones go
/// on as they are. There is no plain listener beside it that would send anybody here: a key that was sent in the clear
/// once is known.
public final class TLSKeeper: Sendable {
    private let files: TLSFiles
    private let context: Mutex<NIOSSLContext>

    /// - Throws: `TLSError`.
    public init(_ files: TLSFiles) throws(TLSError) {
        self.files = files
        context = Mutex(try Self.context(files))
    }

    /// Reads the files again; what was read before stays when they cannot be.
    ///
    /// - Throws: `TLSError`.
    public func reload() throws(TLSError) {
        let fresh = try Self.context(files)
        context.withLock { $0 = fresh }
    }

    /// For one connection.
    func makeHandler() -> NIOSSLServerHandler { NIOSSLServerHandler(context: context.withLock { $0 }) }

    private static func context(_ files: TLSFiles) throws(TLSError) -> NIOSSLContext {
        let chain: [NIOSSLCertificate]
        do { chain = try NIOSSLCertificate.fromPEMFile(files.certificate) } catch {
            throw TLSError(.unreadableCertificate, "the certificate \(files.certificate) can't be read", "\(error)")
        }
        guard !chain.isEmpty else {
            throw TLSError(.unreadableCertificate, "there is no certificate in \(files.certificate)", nil)
        }
        let key: NIOSSLPrivateKey
        do { key = try NIOSSLPrivateKey(file: files.key, format: .pem) } catch {
            throw TLSError(.unreadableKey, "the private key \(files.key) can't be read", "\(error)")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(key)
        )
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        do { return try NIOSSLContext(configuration: configuration) } catch {
            throw TLSError(
                .mismatch,
                "the key \(files.key) is not that of the certificate \(files.certificate)",
                "\(error)"
            )
        }
    }
}

/// A certificate or key that cannot be used. Equal when the codes are equal.
public struct TLSError: Failure, Equatable {
    public enum Code: String, Sendable { case unreadableCertificate, unreadableKey, mismatch }

    public let code: Code
    public let message: String
    public let detail: String?
    public var kind: FailureKind { .notConfigured }
    public var hint: String? { "TLS_CERTIFICATE and TLS_KEY name files in PEM, readable by the server" }

    init(_ code: Code, _ message: String, _ detail: String?) {
        self.code = code
        self.message = message
        self.detail = detail
    }

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}
