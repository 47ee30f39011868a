import Domain

/// What a client says of itself, at the handshake or with each request: read as strictly as the schemas of all revisions are.
///
/// Members that nobody here acts on are not looked at, and null stands for a member that is not there.
enum ClientDeclaration {
    /// - Parameters:
    ///   - value: of the member that is to hold them.
    ///   - name: of that member, for the message.
    /// - Throws: `.invalidParams`
    static func capabilities(_ value: JSONValue?, as name: String) throws(ProtocolError) -> JSONObject {
        guard let capabilities = value?.objectValue else { throw missing("an object", as: name, value) }
        for capability in ["elicitation", "sampling", "roots"] {
            guard let members = try object(capability, in: capabilities, of: name) else { continue }
            guard capability == "elicitation" else { continue }
            for mode in ["form", "url"] { _ = try object(mode, in: members, of: "\(name).\(capability)") }
        }
        return capabilities
    }

    /// Checks who the client says it is.
    ///
    /// - Throws: `.invalidParams`
    static func checkInfo(_ value: JSONValue?, as name: String) throws(ProtocolError) {
        guard let info = value?.objectValue else { throw missing("an object", as: name, value) }
        for member in ["name", "version"] where info[member]?.stringValue == nil {
            throw missing("a string", as: "\(name).\(member)", info[member])
        }
    }

    private static func object(
        _ member: String,
        in members: JSONObject,
        of name: String
    ) throws(ProtocolError) -> JSONObject? {
        guard let value = members[member], !value.isNull else { return nil }
        guard let object = value.objectValue else { throw missing("an object", as: "\(name).\(member)", value) }
        return object
    }

    private static func missing(_ kind: String, as name: String, _ value: JSONValue?) -> ProtocolError {
        .invalidParams(
            value.map { "'\(name)' must be \(kind), not \($0.kindName)" } ?? "'\(name)', \(kind), is missing"
        )
    }
}
