public import Domain
import Foundation

/// What a backup holds, written last: a directory without it is no backup.
struct BackupManifest: Sendable, Hashable {
    static let fileName = "manifest.json"
    static let version = 1

    struct File: Sendable, Hashable {
        /// Below the backup's directory.
        let path: String
        let byteCount: Int64
        /// SHA-256, 64 hexadecimal digits.
        let digest: String
    }

    enum Engine: String, Sendable { case sqlite, postgres }

    var engine: Engine
    var createdTime: String
    var product: String
    var files: [File]
    /// Rows of each table.
    var rows: [String: Int64]

    /// The database's file.
    var databasePath: String { engine == .sqlite ? "database.sqlite" : "database.pgdump" }

    var json: JSONValue {
        let files = files.sorted { $0.path < $1.path }.map { file -> JSONValue in
            [
                "path": .string(file.path), "bytes": .number(JSONNumber(Int(file.byteCount))),
                "sha256": .string(file.digest),
            ]
        }
        let rows = rows.sorted { $0.key < $1.key }.map {
            (key: $0.key, value: JSONValue.number(JSONNumber(Int($0.value))))
        }
        return [
            "version": .number(JSONNumber(Self.version)), "engine": .string(engine.rawValue),
            "createdTime": .string(createdTime), "product": .string(product), "files": .array(files),
            "rows": .object(JSONObject(rows)),
        ]
    }

    /// - Throws: `BackupError.notABackup` when it is none, or names files outside its directory.
    init(reading directory: String) throws {
        let path = "\(directory)/\(Self.fileName)"
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw BackupError.notABackup(directory, "it has no \(Self.fileName): it may not have been finished")
        }
        // As many members as a backup has files.
        let limits = JSONLimits.trusted
        guard let json = try? JSONValue(parsing: [UInt8](bytes), limits: limits),
            let engine = json["engine"]?.stringValue.flatMap(Engine.init(rawValue:)),
            let createdTime = json["createdTime"]?.stringValue, let product = json["product"]?.stringValue,
            let files = json["files"]?.arrayValue, let rows = json["rows"]?.objectValue
        else { throw BackupError.notABackup(directory, "its \(Self.fileName) cannot be read") }
        guard json["version"]?.intValue == Self.version else {
            throw BackupError.notABackup(directory, "it was made by another version of this program")
        }
        self.engine = engine
        self.createdTime = createdTime
        self.product = product
        self.files = try files.map { file in
            guard let path = file["path"]?.stringValue, Self.isInside(path), let bytes = file["bytes"]?.intValue,
                let digest = file["sha256"]?.stringValue
            else { throw BackupError.notABackup(directory, "its \(Self.fileName) names no such file as a backup has") }
            return File(path: path, byteCount: Int64(bytes), digest: digest)
        }
        self.rows = Dictionary(rows.compactMap { key, value in value.intValue.map { (key, Int64($0)) } }) { $1 }
    }

    init(engine: Engine, createdTime: String, product: String) {
        self.engine = engine
        self.createdTime = createdTime
        self.product = product
        files = []
        rows = [:]
    }

    private static func isInside(_ path: String) -> Bool {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return !parts.isEmpty && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." } && !path.contains("\0")
    }
}

/// Why there is no backup, or nothing was restored.
public struct BackupError: Failure, Equatable {
    public enum Code: String, Sendable {
        case notABackup, targetNotEmpty, damaged, toolFailed, differs
    }

    public let code: Code
    public let message: String
    public let hint: String?

    public var kind: FailureKind {
        switch code {
        case .notABackup: .notFound
        case .targetNotEmpty: .conflict
        case .damaged, .differs: .corrupt
        case .toolFailed: .notConfigured
        }
    }

    static func notABackup(_ directory: String, _ why: String) -> Self {
        Self(
            code: .notABackup,
            message: "\(directory) is no backup: \(why)",
            hint: "name a directory that `backup` made"
        )
    }

    static func damaged(_ what: String) -> Self {
        Self(code: .damaged, message: "the backup is damaged: \(what)", hint: "use another one; nothing was restored")
    }

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}
