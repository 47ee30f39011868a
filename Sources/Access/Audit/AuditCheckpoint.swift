import Crypto
package import Domain

/// A signed word that a chain had this hash at this place at this time: what came before can then not be changed, nor
/// cut off, by whoever can write to the database alone.
package struct AuditCheckpoint: Sendable, Hashable {
    package let chain: String
    package let sequence: Int64
    package let hash: [UInt8]
    package let time: Instant
    /// Number of the data key from which the signing key is derived.
    package let key: Int64
    /// The JSON that is signed.
    package let body: [UInt8]
    /// Ed25519, 64 bytes.
    package let signature: [UInt8]

    init(chain: String, sequence: Int64, hash: [UInt8], time: Instant, by signer: AuditSigner) throws {
        let members: JSONObject = [
            "v": 1,
            "chain": .string(chain),
            "sequence": .number(JSONNumber(Int(sequence))),
            "hash": .string(hexadecimal(hash)),
            "time": .string(time.iso8601),
            "key": .number(JSONNumber(Int(signer.number))),
        ]
        self.chain = chain
        self.sequence = sequence
        self.hash = hash
        self.time = time
        self.key = signer.number
        body = JSONValue.object(members).encoded()
        signature = try signer.signature(of: body)
    }

    /// Nil unless it is what `init(chain:…)` writes.
    init?(body: [UInt8], signature: [UInt8]) {
        guard let json = try? JSONValue(parsing: body),
            let chain = json["chain"]?.stringValue,
            let sequence = json["sequence"]?.intValue,
            let hash = json["hash"]?.stringValue.flatMap(bytes(ofHexadecimal:)),
            let time = json["time"]?.stringValue.flatMap(Instant.init(iso8601:)),
            let key = json["key"]?.intValue
        else { return nil }
        self.chain = chain
        self.sequence = Int64(sequence)
        self.hash = hash
        self.time = time
        self.key = Int64(key)
        self.body = body
        self.signature = signature
    }

    /// One line of the file outside the database, and the last of an export.
    var line: [UInt8] {
        Array(#"{"signature":"\#(hexadecimal(signature))","checkpoint":"#.utf8) + body + Array("}\n".utf8)
    }

    init?(line: [UInt8]) {
        guard let json = try? JSONValue(parsing: line), let checkpoint = json["checkpoint"],
            let signature = json["signature"]?.stringValue.flatMap(bytes(ofHexadecimal:))
        else { return nil }
        // Written compactly and in the same order, so the text comes back as it was.
        self.init(body: checkpoint.encoded(), signature: signature)
    }
}

/// Signs checkpoints, and knows its own signatures.
package struct AuditSigner: Sendable {
    /// Of the data key that it comes from.
    package let number: Int64
    private let key: Curve25519.Signing.PrivateKey

    /// - Parameter seed: 32 bytes.
    init(number: Int64, seed: [UInt8]) throws {
        self.number = number
        key = try Curve25519.Signing.PrivateKey(rawRepresentation: seed)
    }

    /// Whoever has it can check checkpoints and cannot make any.
    package var publicKey: [UInt8] { Array(key.publicKey.rawRepresentation) }

    func signature(of body: [UInt8]) throws -> [UInt8] { Array(try key.signature(for: body)) }

    func accepts(_ checkpoint: AuditCheckpoint) -> Bool {
        checkpoint.key == number && key.publicKey.isValidSignature(checkpoint.signature, for: checkpoint.body)
    }
}

extension CredentialVault {
    /// What signs the audit log's checkpoints: derived from a data key of the data directory's tenant, so that it is
    /// stored nowhere and lives through rotations of the master key.
    ///
    /// - Parameter number: the data key's; nil for the newest.
    package func auditSigner(tenant: TenantID, number: Int64? = nil) async throws -> AuditSigner? {
        let dataKey =
            if let number {
                try await store.dataKey(number, tenant: tenant)
            } else {
                try await currentDataKey(of: tenant, deadline: nil)
            }
        guard let dataKey else { return nil }
        let seed = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: try unwrap(dataKey),
            info: Array("pyairtable/audit-checkpoint/1\0\(tenant)".utf8),
            outputByteCount: 32
        )
        return try AuditSigner(number: dataKey.number, seed: seed.withUnsafeBytes { Array($0) })
    }
}

/// Nil unless it is pairs of lower-case digits.
func bytes(ofHexadecimal text: String) -> [UInt8]? {
    let digits = text.utf8.compactMap { byte -> UInt8? in
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }
    guard digits.count == text.utf8.count, digits.count % 2 == 0 else { return nil }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}
