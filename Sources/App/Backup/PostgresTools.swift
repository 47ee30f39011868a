import Database
import Foundation

/// `pg_dump` and `pg_restore`, which know PostgreSQL's own format best. A password goes to them by environment only.
enum PostgresTools {
    /// Writes the database as `snapshot` has it to `file`.
    static func dump(_ url: String, snapshot: String, to file: String) throws {
        let arguments = [
            "--format=custom", "--no-owner", "--no-privileges", "--enable-row-security", "--snapshot=\(snapshot)",
            "--file=\(file)",
        ]
        // The policies hold the owner too, and this is about every row.
        try run("pg_dump", arguments, forEveryTenant(url))
    }

    /// Puts a dump into an empty database, wholly or not at all.
    static func restore(_ file: String, to url: String) throws {
        try run("pg_restore", ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", file], url)
    }

    /// `url` so that row security hides nothing.
    static func forEveryTenant(_ url: String) -> String {
        guard var parts = URLComponents(string: url) else { return url }
        var items = parts.queryItems ?? []
        let options = items.filter { $0.name == "options" }.compactMap(\.value) + [RowSecurity.everyTenantOption]
        items.removeAll { $0.name == "options" }
        parts.queryItems = items + [URLQueryItem(name: "options", value: options.joined(separator: " "))]
        return parts.string ?? url
    }

    private static func run(_ tool: String, _ arguments: [String], _ url: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        let (address, password) = withoutPassword(url)
        process.arguments = [tool] + arguments + ["--dbname=\(address)"]
        var environment = ProcessInfo.processInfo.environment
        if let password { environment["PGPASSWORD"] = password }
        process.environment = environment
        let errors = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = errors
        do { try process.run() } catch { throw missing(tool) }
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        if process.terminationStatus == 127 { throw missing(tool) }
        guard process.terminationStatus == 0 else {
            throw BackupError(
                code: .toolFailed,
                message: "\(tool) failed: \(text.split(separator: "\n").last ?? "it said nothing")",
                hint: "its version must not be older than the server's"
            )
        }
    }

    /// The URL that may stand in a list of processes, and what may not.
    static func withoutPassword(_ url: String) -> (url: String, password: String?) {
        guard var parts = URLComponents(string: url) else { return (url, nil) }
        var password = parts.password
        parts.password = nil
        if let item = parts.queryItems?.first(where: { $0.name == "password" }) {
            password = password ?? item.value
            parts.queryItems?.removeAll { $0.name == "password" }
        }
        return (parts.string ?? url, password)
    }

    private static func missing(_ tool: String) -> BackupError {
        BackupError(
            code: .toolFailed,
            message: "there is no \(tool) on this machine, by which a PostgreSQL database is saved and restored",
            hint: "install PostgreSQL's client programs (Debian: postgresql-client)"
        )
    }
}
