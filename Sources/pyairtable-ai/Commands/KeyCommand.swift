import Access
import App
import ArgumentParser
import Domain

/// `key create|list|revoke`: API keys of the data directory's owner; `key rotate-signing`.
struct KeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key",
        abstract: "Make, list and revoke API keys; replace the key that signs access tokens.",
        subcommands: [Create.self, List.self, Revoke.self, RotateSigning.self]
    )

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make a key and show it, once.")

        @OptionGroup var shared: SharedOptions

        @Option(help: "A name to tell it by.")
        var name = "command line"

        @Option(help: "What it may do, separated by commas (default: everything its owner may).")
        var scopes: String?

        @Option(help: "Days until it expires (default: never).")
        var days: Int?

        @Option(help: "The only bases it sees, by id, separated by commas (default: all).")
        var bases: String?

        @Option(help: "Of further bases the only tables it sees: app…:tbl…, separated by commas.")
        var tables: String?

        @Option(help: "The only networks it may come from, such as 203.0.113.7,10.1.0.0/16 (default: anywhere).")
        var addresses: String?

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() async throws {
            let scopes = try parsedScopes()
            if let days, !(1...36_500).contains(days) {
                throw UsageError.because("--days must be from 1 to 36500; without it the key does not expire")
            }
            let expires = days.map { Instant(microseconds: Instant.now().microseconds + Int64($0) * 86_400_000_000) }
            let draft = APIKeyDraft(
                name: name,
                scopes: scopes,
                bases: try parsedBases(),
                tables: try parsedTables(),
                addresses: try parsedAddresses(),
                expires: expires
            )
            try await withServices(shared) { services, context in
                let issued = try await services.access.createKey(draft, context: context)
                if json {
                    Console.writeLine(["id": .string(issued.key.id.description), "key": .string(issued.text)])
                } else {
                    Console.write(issued.text + "\n")
                    Console.writeError("Keep it: it is shown only now. Revoke it with: key revoke \(issued.key.id)\n")
                }
            }
        }

        private func parsedBases() throws -> Set<BaseID>? {
            guard let bases else { return nil }
            return Set(
                try bases.split(separator: ",").map { part in
                    let text = part.filter { !$0.isWhitespace }
                    guard let base = BaseID(text) else {
                        throw UsageError.because("--bases: \(text) is no base id: expected app and 14 characters")
                    }
                    return base
                }
            )
        }

        private func parsedTables() throws -> [BaseID: Set<TableID>] {
            try (tables ?? "").split(separator: ",").reduce(into: [:]) { tables, part in
                let halves = part.filter { !$0.isWhitespace }.split(separator: ":").map(String.init)
                guard halves.count == 2, let base = BaseID(halves[0]), let table = TableID(halves[1]) else {
                    throw UsageError.because("--tables: \(part) is not like app…:tbl…")
                }
                tables[base, default: []].insert(table)
            }
        }

        private func parsedAddresses() throws -> AddressList? {
            guard let addresses else { return nil }
            let texts = addresses.split(separator: ",").map { $0.filter { !$0.isWhitespace } }
            guard let list = AddressList(texts) else {
                throw UsageError.because("--addresses takes addresses and networks, such as 10.1.0.0/16,::1")
            }
            return list
        }

        private func parsedScopes() throws -> Set<Permission> {
            guard let scopes else { return Set(Permission.allCases) }
            return Set(
                try scopes.split(separator: ",").map { part in
                    let name = part.filter { !$0.isWhitespace }
                    if let permission = Permission(rawValue: name) { return permission }
                    let known = Permission.allCases.map(\.rawValue)
                    let nearest = Spelling.nearest(to: name, among: known).map { "; did you mean \($0)?" } ?? ""
                    let all = known.joined(separator: ", ")
                    throw UsageError.because("--scopes: there is no permission \"\(name)\"\(nearest) (one of \(all))")
                }
            )
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the keys, without their secrets.")

        @OptionGroup var shared: SharedOptions

        @Flag(help: "Print a JSON array.")
        var json = false

        func run() async throws {
            try await withServices(shared) { services, context in
                let keys = try await services.access.keys(context: context)
                if json {
                    Console.writeLine(.array(keys.map(\.json)))
                } else {
                    for key in keys {
                        let state = key.isDisabled ? "disabled" : key.expires.map { "until \($0.iso8601)" } ?? "valid"
                        Console.write("\(key.id)  …\(key.lastFour)  \(key.name)  \(state)\n")
                    }
                }
            }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "End a key for good.")

        @OptionGroup var shared: SharedOptions

        @Argument(help: "The key's id, as `key list` shows it.")
        var id: String

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() async throws {
            guard let key = KeyID(id) else {
                throw UsageError.because("\(id) is no key id: expected key and 14 characters")
            }
            try await withServices(shared) { services, context in
                try await services.access.revokeKey(key, context: context)
                if json { Console.writeLine(["revoked": .string(id)]) } else { Console.write("revoked \(id)\n") }
            }
        }
    }
}

extension APIKey {
    fileprivate var json: JSONValue {
        [
            "id": .string(id.description), "name": .string(name), "lastFour": .string(lastFour),
            "scopes": .array(scopes.map(\.rawValue).sorted().map { .string($0) }), "disabled": .bool(isDisabled),
            "createdTime": .string(createdTime.iso8601),
            "expires": expires.map { .string($0.iso8601) } ?? .null,
            "lastUsedTime": lastUsedTime.map { .string($0.iso8601) } ?? .null,
        ]
    }
}
