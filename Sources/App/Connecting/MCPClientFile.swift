public import Domain
import Foundation

/// The file in which a client is told of servers: read, added to, and put back whole.
public struct MCPClientFile: Sendable {
    public enum Outcome: Sendable, Hashable {
        /// It says so already.
        case unchanged
        /// - backup: a copy of what was there before; nil when nothing was.
        case written(backup: String?)
    }

    public let path: String
    /// The member under which servers stand.
    public let member: String

    /// - Parameter path: where the program looks; a link is followed.
    public init(path: String, member: String) {
        self.path = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        self.member = member
    }

    /// Puts one server in, in place of one of the same name. Everything else stays as it is, in its order; numbers keep their
    /// digits.
    ///
    /// - Throws: `ClientFileError` for what is no JSON object, or holds something else than servers there; it is untouched then.
    public func put(_ entry: JSONValue, name: String) throws -> Outcome {
        let present = FileManager.default.fileExists(atPath: path) ? try contents() : nil
        guard let next = try Self.merged(present, member: member, name: name, entry: entry, path: path) else {
            return .unchanged
        }
        return .written(backup: try replace(present, with: next))
    }

    /// - Returns: the new content; nil when the old one says so already.
    static func merged(
        _ present: [UInt8]?,
        member: String,
        name: String,
        entry: JSONValue,
        path: String
    ) throws(ClientFileError) -> [UInt8]? {
        var root = JSONObject()
        // A file that was made and never written to.
        if let present, present.contains(where: { $0 > 0x20 }) {
            let value: JSONValue
            do { value = try JSONValue(parsing: present) } catch { throw .notJSON(path, error.message) }
            guard let object = value.objectValue else { throw .notJSON(path, "it holds no object") }
            root = object
        }
        var servers = JSONObject()
        if let found = root[member], !found.isNull {
            guard let object = found.objectValue else { throw .notServers(path, member) }
            servers = object
        }
        guard servers[name] != entry else { return nil }
        servers[name] = entry
        root[member] = .object(servers)
        return JSONValue.object(root).encoded(.indented) + [0x0A]
    }

    private func contents() throws(ClientFileError) -> [UInt8] {
        guard let bytes = FileManager.default.contents(atPath: path) else { throw .unusable(path, "it can't be read") }
        return Array(bytes)
    }

    /// Under another name first, then in one step: whoever reads sees the old file or the new one.
    private func replace(_ present: [UInt8]?, with next: [UInt8]) throws(ClientFileError) -> String? {
        let files = FileManager.default
        do {
            try files.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent,
                withIntermediateDirectories: true
            )
            var backup: String?
            // Keys may stand in it.
            var mode = NSNumber(value: 0o600)
            if let present {
                let stamp = Instant.now().iso8601.filter { $0.isNumber || $0 == "T" || $0 == "Z" }
                let copy = "\(path).\(stamp).backup"
                mode = try files.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber ?? mode
                try write(present, to: copy, mode)
                backup = copy
            }
            let draft = "\(path).\(getpid()).new"
            try write(next, to: draft, mode)
            guard rename(draft, path) == 0 else {
                let reason = String(cString: strerror(errno))
                try files.removeItem(atPath: draft)
                throw ClientFileError.unusable(path, reason)
            }
            return backup
        } catch let error as ClientFileError {
            throw error
        } catch {
            throw .unusable(path, error.localizedDescription)
        }
    }

    private func write(_ bytes: [UInt8], to path: String, _ mode: NSNumber) throws {
        guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: mode]) else {
            throw ClientFileError.unusable(path, "it can't be made")
        }
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.write(contentsOf: bytes)
        try file.synchronize()
        try file.close()
    }
}

/// Why a client's file was left as it is.
public struct ClientFileError: Failure, Equatable {
    public enum Code: String, Sendable, CaseIterable {
        case notJSON
        case notServers
        case unusable
        case keyMissing
    }

    public let code: Code
    public let message: String
    public let hint: String?

    public var kind: FailureKind {
        switch code {
        case .notJSON, .notServers: .conflict
        case .unusable, .keyMissing: .notConfigured
        }
    }

    /// - Parameter variable: of the environment.
    public static func keyMissing(_ variable: String) -> Self {
        Self(
            code: .keyMissing,
            message: "\(variable) holds no key of that server, and nothing was written.",
            hint: "make one there with `pyairtable-ai key create`, and set the variable for this command"
        )
    }

    static func notJSON(_ path: String, _ reason: String) -> Self {
        Self(
            code: .notJSON,
            message: "\(path) is no JSON, and was left as it is: \(reason)",
            hint: "mend it, or leave out --write and paste what is printed"
        )
    }

    static func notServers(_ path: String, _ member: String) -> Self {
        Self(
            code: .notServers,
            message: "\"\(member)\" in \(path) is no object, and was left as it is.",
            hint: "mend it, or leave out --write and paste what is printed"
        )
    }

    static func unusable(_ path: String, _ reason: String) -> Self {
        Self(
            code: .unusable,
            message: "\(path) can't be written: \(reason)",
            hint: "leave out --write and paste what is printed"
        )
    }

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}
