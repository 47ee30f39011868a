import Database
import Foundation
import TestSupport
import Testing

@Suite("Opening a database")
struct DatabaseOpenerTests {
    @Test("takes a path behind sqlite:, makes the file for its owner only, and opens it again")
    func sqlite() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory.appendingPathComponent("a file's name?.sqlite").path
            for url in ["sqlite:\(path)", "sqlite://\(path)", "SQLITE:\(path)"] {
                let database = try await DatabaseOpener.open(url: url)
                #expect(database.dialect == .sqlite)
                #expect(database.location == "sqlite:\(path)")
                try await database.write(of: .everyTenant) {
                    try $0.execute("CREATE TABLE IF NOT EXISTS one (id INTEGER)")
                }
                let pragmas = try await database.write(of: .everyTenant) { transaction in
                    try ["journal_mode", "synchronous", "foreign_keys"].map { name in
                        try transaction.firstRow("PRAGMA \(name)")?[0] ?? .null
                    }
                }
                #expect(pragmas == ["wal", 2, 1])
                for suffix in ["", "-wal", "-shm"] {
                    let attributes = try FileManager.default.attributesOfItem(atPath: path + suffix)
                    #expect(attributes[.posixPermissions] as? Int == 0o600)
                }
                await database.close()
            }
            let database = try await DatabaseOpener.open(url: nil, defaultPath: path)
            let table = try await database.read(of: .everyTenant) { try $0.rows("SELECT * FROM one").count }
            #expect(table == 0)
            await database.close()
        }
    }

    @Test(
        "says what is wrong with a URL, without showing its password",
        arguments: [
            "mysql://root:secret@host/db", "data.sqlite", "sqlite:", "sqlite::memory:", "sqlite://host/file",
            "postgres:secret", "postgres://user:secret@[::1/db", "postgres://user:sec%00ret@host/db",
            "postgres://user:secret@host/db?nonsense=1", "postgres://user:a@secret@host/db",
            "postgres://user:secret@host:port/db?sslmode=maybe", "",
        ]
    )
    func badURL(url: String) async {
        let error = await #expect(throws: DatabaseError(.configuration, "")) {
            _ = try await DatabaseOpener.open(url: url)
        }
        let shown = [error?.message, error?.hint, error?.detail].compactMap(\.self).joined()
        #expect(!shown.contains("secret"))
    }

    @Test("says so when the directory is missing, the path is a directory, or the file is no database")
    func badFile() async throws {
        try await withTemporaryDirectory { directory in
            let text = directory.appendingPathComponent("text")
            try Data(repeating: UInt8(ascii: "x"), count: 5_000).write(to: text)
            for (path, code) in [
                ("\(directory.path)/none/file", DatabaseError.Code.configuration), (directory.path, .configuration),
                (text.path, .corrupt),
            ] {
                let error = await #expect(throws: DatabaseError.self) {
                    _ = try await DatabaseOpener.open(url: "sqlite:\(path)")
                }
                #expect(error?.code == code)
                #expect(error?.message.contains(path) == true)
                #expect(error?.hint != nil)
            }
            // The file was not touched.
            let left = try Data(contentsOf: text)
            #expect(left == Data(repeating: UInt8(ascii: "x"), count: 5_000))
        }
    }

    @Test("says whether PostgreSQL can't be reached or refuses, without showing the password")
    func badServer() async throws {
        try await withDatabaseURL(.postgres) { url in
            let address = url.split(separator: "postgres@").joined(separator: "postgres:secret@")
            let withoutDatabase = address.prefix(upTo: address.lastIndex(of: "/") ?? address.endIndex)
            for (url, code) in [
                ("\(withoutDatabase)/nowhere", DatabaseError.Code.configuration),
                ("postgres://postgres:secret@127.0.0.1:1/db", .connection),
            ] {
                let error = await #expect(throws: DatabaseError.self) { _ = try await DatabaseOpener.open(url: url) }
                #expect(error?.code == code)
                let shown = [error?.message, error?.hint, error?.detail].compactMap(\.self).joined()
                #expect(!shown.contains("secret"))
                #expect(error?.message.contains("127.0.0.1") == true)
            }
            let database = try await DatabaseOpener.open(url: address)
            #expect(database.dialect == .postgres)
            #expect(!database.location.contains("secret"))
            #expect(database.location.hasPrefix("postgres://postgres@127.0.0.1:"))
            await database.close()
        }
    }
}
