import Domain

/// What a request says about itself beside what it asks for: the members of its `_meta`.
struct RequestEnvelope: Sendable, Hashable {
    let revision: ProtocolRevision
    /// What the client can be asked for.
    let abilities: Set<CallerAbility>
    /// What the client wants to hear of the work's log; nil for nothing.
    let logLevel: CallerLogLevel?
    /// What reports of progress are tagged with; nil when none are wanted.
    let progressToken: JSONValue?
    /// Where the request stands in its caller's trace.
    let trace: TraceParent?

    /// Of a request in a session that was opened by a handshake.
    init(_ request: Request, session: HandshakeState) {
        revision = session.revision
        abilities = session.abilities
        logLevel = session.logLevel
        progressToken = Self.progressToken(request.meta)
        trace = Self.trace(request.meta)
    }

    /// Of a request that says all by itself (2026-07-28).
    ///
    /// - Throws: `.invalidParams` when something needed is missing or of the wrong type; `.unsupportedProtocolVersion`.
    init(standingAlone request: Request) throws(ProtocolError) {
        guard let meta = request.meta else {
            throw .invalidParams(
                "'params._meta' must name '\(MetaKey.protocolVersion)' and '\(MetaKey.clientCapabilities)'"
            )
        }
        guard let version = meta[MetaKey.protocolVersion]?.stringValue else {
            throw .invalidParams("'params._meta' must name '\(MetaKey.protocolVersion)', a string")
        }
        guard let revision = ProtocolRevision(rawValue: version), !revision.hasHandshake else {
            throw .unsupportedVersion(version)
        }
        let capabilities = try ClientDeclaration.capabilities(
            meta[MetaKey.clientCapabilities],
            as: MetaKey.clientCapabilities
        )
        if let info = meta[MetaKey.clientInfo], !info.isNull {
            try ClientDeclaration.checkInfo(info, as: MetaKey.clientInfo)
        }
        var logLevel: CallerLogLevel?
        if let level = meta[MetaKey.logLevel], !level.isNull {
            logLevel = level.stringValue.flatMap(CallerLogLevel.init)
            guard logLevel != nil else { throw .invalidParams("'\(MetaKey.logLevel)' must be a level of RFC 5424") }
        }
        self.revision = revision
        self.abilities = CallerAbility.declared(in: capabilities, revision)
        self.logLevel = logLevel
        progressToken = Self.progressToken(meta)
        trace = Self.trace(meta)
    }

    private static func trace(_ meta: JSONObject?) -> TraceParent? {
        meta?[MetaKey.trace]?.stringValue.flatMap { TraceParent($0) }
    }

    private static func progressToken(_ meta: JSONObject?) -> JSONValue? {
        guard let token = meta?[MetaKey.progressToken] else { return nil }
        return MessageID(token)?.json
    }
}

extension Request {
    var meta: JSONObject? { params["_meta"]?.objectValue }

    /// - Throws: `.invalidParams` when `_meta` is no object, or what progress is to be tagged with no id.
    func checkMeta() throws(ProtocolError) {
        guard let value = params["_meta"], !value.isNull else { return }
        guard let meta = value.objectValue else {
            throw .invalidParams("'_meta' must be an object, not \(value.kindName)")
        }
        if let token = meta[MetaKey.progressToken], !token.isNull, MessageID(token) == nil {
            throw .invalidParams("'progressToken' must be a string or an integer, not \(token.kindName)")
        }
    }

    /// Whether it is of the revision without handshakes: it names its revision, or what its client can do.
    var standsAlone: Bool {
        guard let meta else { return false }
        return meta[MetaKey.protocolVersion] != nil || meta[MetaKey.clientCapabilities] != nil
    }
}

extension CallerAbility {
    /// What a client's capabilities let it be asked for.
    static func declared(in capabilities: JSONObject, _ revision: ProtocolRevision) -> Set<CallerAbility> {
        var abilities: Set<CallerAbility> = []
        if revision.hasElicitation, let elicitation = capabilities["elicitation"]?.objectValue {
            // An empty object means forms alone, as it did before there was anything else.
            let asksByURL = elicitation["url"]?.objectValue != nil
            if elicitation["form"]?.objectValue != nil || !asksByURL { abilities.insert(.form) }
            if asksByURL { abilities.insert(.url) }
        }
        if capabilities["sampling"]?.objectValue != nil { abilities.insert(.sampling) }
        if capabilities["roots"]?.objectValue != nil { abilities.insert(.roots) }
        return abilities
    }
}

/// What the latest handshake settled.
struct HandshakeState: Sendable, Hashable {
    let revision: ProtocolRevision
    let abilities: Set<CallerAbility>
    /// Least level that the client wants to hear.
    var logLevel = CallerLogLevel.info
}
