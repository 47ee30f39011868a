public import Gateway

extension Setting {
    public static let trustedProxies = Setting(
        "TRUSTED_PROXIES",
        default: "none",
        flag: false,
        "Addresses and networks of proxies, between commas, whose `X-Forwarded-For` is believed: `10.0.0.0/8`."
    )
    public static let requestLimits = Setting(
        "REQUEST_LIMITS",
        default: "`generous` on a loopback BIND, else `standard`",
        flag: false,
        "`off`, `standard`, `generous`, or what differs from it: `standard,read=600/60` (docs/gateway.md)."
    )
    public static let connectionsPerAddress = Setting(
        "CONNECTIONS_PER_ADDRESS",
        default: "2048",
        flag: false,
        "Connections that one client address may have open, of 4096 in all; trusted proxies are not counted."
    )
    public static let drainNotice = Setting(
        "DRAIN_NOTICE",
        default: "0",
        flag: false,
        "Seconds that requests are still taken after SIGTERM while `/ready` says no, for those who spread them."
    )
    public static let tlsCertificate = Setting(
        "TLS_CERTIFICATE",
        default: "none",
        flag: false,
        "File of the certificate and its chain (PEM): BIND then speaks TLS 1.2 and 1.3. Read again at SIGHUP."
    )
    public static let tlsKey = Setting(
        "TLS_KEY",
        default: "none",
        flag: false,
        "File of the certificate's private key (PEM)."
    )

    static let edge: [Setting] = [
        .trustedProxies, .requestLimits, .connectionsPerAddress, .drainNotice, .tlsCertificate, .tlsKey,
    ]
}

/// How the front door is kept.
public struct EdgeSettings: Sendable, Hashable {
    public var trustedProxies: [AddressBlock]
    /// Nil for what fits where the server listens.
    public var requestLimits: RequestLimits?
    public var connectionsPerAddress: Int
    public var drainNoticeSeconds: Int
    /// Both or none.
    public var tls: TLSFiles?

    init(_ reader: inout SettingsReader) {
        trustedProxies = reader.value(
            .trustedProxies,
            default: [],
            expected: "addresses or networks between commas, such as 10.0.0.0/8, or none"
        ) { text in
            if text == "none" { return [] }
            let parts = text.split(separator: ",").map { AddressBlock($0.filter { $0 != " " }) }
            return parts.isEmpty || parts.contains(nil) ? nil : parts.compactMap(\.self)
        }
        requestLimits = reader.value(
            .requestLimits,
            default: nil,
            expected: "off, standard, generous, or standard,read=600/60"
        ) { RequestLimits($0).map { .some($0) } }
        connectionsPerAddress = reader.value(
            .connectionsPerAddress,
            default: 2_048,
            expected: "a number from 1 to 4096"
        ) { Int($0).flatMap { (1...4_096).contains($0) ? $0 : nil } }
        drainNoticeSeconds = reader.value(.drainNotice, default: 0, expected: "seconds from 0 to 300") {
            Int($0).flatMap { (0...300).contains($0) ? $0 : nil }
        }
        let certificate = Self.path(reader.text(.tlsCertificate))
        let key = Self.path(reader.text(.tlsKey))
        if let certificate, let key {
            tls = TLSFiles(certificate: certificate, key: key)
        } else {
            tls = nil
            if certificate != nil || key != nil {
                reader.refuse("TLS_CERTIFICATE and TLS_KEY are set together or not at all")
            }
        }
    }

    /// What holds on this address.
    func limits(boundTo address: BindAddress) -> RequestLimits {
        requestLimits ?? (address.isLoopback && trustedProxies.isEmpty ? .generous : .standard)
    }

    func shown(_ setting: Setting) -> String? {
        switch setting {
        case .trustedProxies:
            trustedProxies.isEmpty ? "none" : trustedProxies.map(\.description).joined(separator: ",")
        case .requestLimits: requestLimits?.description ?? "as BIND is"
        case .connectionsPerAddress: String(connectionsPerAddress)
        case .drainNotice: String(drainNoticeSeconds)
        case .tlsCertificate: tls?.certificate ?? "none"
        case .tlsKey: tls?.key ?? "none"
        default: nil
        }
    }

    private static func path(_ text: String?) -> String? { text == "none" ? nil : text }
}
