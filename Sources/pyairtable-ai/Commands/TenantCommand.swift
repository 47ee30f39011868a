import Access
import App
import ArgumentParser
import Domain

/// `tenant list|create|suspend|resume|erase`: the tenants of this server, for who is at the machine.
struct TenantCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tenant",
        abstract: "Make, list, suspend and erase tenants.",
        subcommands: [List.self, Create.self, Suspend.self, Resume.self, Erase.self]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the tenants.")

        @OptionGroup var shared: SharedOptions

        @Flag(help: "Print a JSON array.")
        var json = false

        func run() async throws {
            try await withServices(shared) { services, context in
                let tenants = try await services.access.tenants(context: context)
                if json {
                    Console.writeLine(.array(tenants.map(\.json)))
                } else {
                    for tenant in tenants {
                        Console.write("\(tenant.id)  \(tenant.tenant.name)  \(tenant.state.rawValue)\n")
                    }
                }
            }
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a tenant with its owner, and show the owner's first key, once."
        )

        @OptionGroup var shared: SharedOptions

        @Argument(help: "A name for people.")
        var name: String

        @Option(help: "The owner's name.")
        var owner = "owner"

        @Option(help: "The owner's e-mail address.")
        var email: String?

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() async throws {
            try await withServices(shared) { services, context in
                let made = try await services.access.createTenant(
                    name: name,
                    ownerName: owner,
                    ownerEmail: email,
                    context: context
                )
                if json {
                    Console.writeLine(["tenant": made.tenant.json, "key": .string(made.key.text)])
                } else {
                    Console.write("\(made.tenant.id)\n\(made.key.text)\n")
                    Console.writeError("Keep the key: it is shown only now.\n")
                }
            }
        }
    }

    struct Suspend: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let nobody of a tenant in: its keys and sessions are dead within a second."
        )

        @OptionGroup var shared: SharedOptions
        @OptionGroup var target: Target

        func run() async throws {
            let id = try target.tenant()
            try await withServices(shared) { services, context in
                try await services.access.changeTenant(id, isSuspended: true, context: context)
                Console.write("\(id) is suspended\n")
            }
        }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Let a suspended tenant in again.")

        @OptionGroup var shared: SharedOptions
        @OptionGroup var target: Target

        func run() async throws {
            let id = try target.tenant()
            try await withServices(shared) { services, context in
                try await services.access.changeTenant(id, isSuspended: false, context: context)
                Console.write("\(id) is active\n")
            }
        }
    }

    struct Erase: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete a tenant with all its data, for good.",
            discussion: "Its last row goes some minutes later, when a server runs or this is said again."
        )

        @OptionGroup var shared: SharedOptions
        @OptionGroup var target: Target

        @Flag(help: "Yes, all its data.")
        var yes = false

        func run() async throws {
            let id = try target.tenant()
            guard yes else {
                throw UsageError.because("this deletes everything of \(id), for good; say --yes when that is meant")
            }
            try await withServices(shared) { services, context in
                let known = try await services.access.tenants(context: context).first { $0.id == id }
                if known?.state != .erasing { try await services.access.eraseTenant(id, context: context) }
                let gone = try await TenantEraser(services).round()
                Console.write("\(id) is \(gone.contains(id) ? "gone" : "erased; its row goes later")\n")
            }
        }
    }

    struct Target: ParsableArguments {
        @Argument(help: "The tenant's id, as `tenant list` shows it.")
        var id: String

        func tenant() throws -> TenantID {
            guard let tenant = TenantID(id) else {
                throw UsageError.because("\(id) is no tenant id: expected ten and 14 characters")
            }
            return tenant
        }
    }
}

extension TenantRecord {
    fileprivate var json: JSONValue {
        [
            "id": .string(id.description), "name": .string(tenant.name), "state": .string(state.rawValue),
            "owner": .string(tenant.owner.description), "createdTime": .string(tenant.createdTime.iso8601),
        ]
    }
}
