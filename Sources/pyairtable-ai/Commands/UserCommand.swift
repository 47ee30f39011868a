import Access
import App
import ArgumentParser
import Domain

/// `user create|list|email|set-password|disable|enable`: who belongs to the data directory's tenant.
struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user",
        abstract: "Make, list, disable and enable users.",
        subcommands: [
            Create.self, List.self, Email.self, SetPassword.self, Disable.self, Enable.self, Operator.self,
        ]
    )

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make a user.")

        @OptionGroup var shared: SharedOptions

        @Argument(help: "A name that no other user has.")
        var name: String

        @Option(help: "Their e-mail address, by which cells and comments can name them.")
        var email: String?

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() async throws {
            try await withServices(shared) { services, context in
                let user = try await services.access.createUser(name: name, email: email, context: context)
                if json { Console.writeLine(user.json) } else { Console.write("\(user.id)  \(user.name)\n") }
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the users.")

        @OptionGroup var shared: SharedOptions

        @Flag(help: "Print a JSON array.")
        var json = false

        func run() async throws {
            try await withServices(shared) { services, context in
                let users = try await services.access.users(context: context)
                if json {
                    Console.writeLine(.array(users.map(\.json)))
                } else {
                    for user in users {
                        let state = user.isDisabled ? "disabled" : "active"
                        Console.write("\(user.id)  \(user.name)  \(user.role.rawValue)  \(state)\n")
                    }
                }
            }
        }
    }

    struct Email: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Set a user's e-mail address, or clear it.")

        @OptionGroup var shared: SharedOptions

        @Argument(help: "The user, usr….")
        var user: String

        @Argument(help: "The address; none clears it.")
        var address: String?

        func run() async throws {
            guard let id = UserID(user) else { throw ValidationError("\"\(user)\" is no user; they look like usr….") }
            try await withServices(shared) { services, context in
                try await services.access.setEmail(address, of: id, context: context)
            }
        }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Disable a user; their keys are dead within a second."
        )

        @OptionGroup var shared: SharedOptions
        @OptionGroup var target: Target

        func run() async throws { try await target.set(isDisabled: true, shared) }
    }

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Enable a user again.")

        @OptionGroup var shared: SharedOptions
        @OptionGroup var target: Target

        func run() async throws { try await target.set(isDisabled: false, shared) }
    }

    struct Operator: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a user manage all tenants of the server, or no longer."
        )

        @OptionGroup var shared: SharedOptions

        @Argument(help: "The user's id, as `user list` shows it.")
        var id: String

        @Flag(help: "Take it away.")
        var revoke = false

        func run() async throws {
            guard let user = UserID(id) else {
                throw UsageError.because("\(id) is no user id: expected usr and 14 characters")
            }
            try await withServices(shared) { services, context in
                try await services.access.setOperator(user, !revoke, context: context)
                Console.write("\(id) is \(revoke ? "no operator" : "an operator")\n")
            }
        }
    }

    struct Target: ParsableArguments {
        @Argument(help: "The user's id, as `user list` shows it.")
        var id: String

        @Flag(help: "Print one JSON object.")
        var json = false

        func set(isDisabled: Bool, _ shared: SharedOptions) async throws {
            guard let user = UserID(id) else {
                throw UsageError.because("\(id) is no user id: expected usr and 14 characters")
            }
            try await withServices(shared) { services, context in
                try await services.access.setUser(user, isDisabled: isDisabled, context: context)
                let state = isDisabled ? "disabled" : "active"
                if json {
                    Console.writeLine(["id": .string(id), "state": .string(state)])
                } else {
                    Console.write("\(id) is \(state)\n")
                }
            }
        }
    }
}

extension User {
    fileprivate var json: JSONValue {
        [
            "id": .string(id.description), "name": .string(name), "role": .string(role.rawValue),
            "disabled": .bool(isDisabled), "createdTime": .string(createdTime.iso8601),
        ]
    }
}
