import Access
import App
import ArgumentParser
import Domain

extension KeyCommand {
    /// `key rotate-signing`: replaces the key that access tokens are signed with.
    struct RotateSigning: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rotate-signing",
            abstract: "Replace the key that signs access tokens; those that are out stay good until they run out.",
            discussion: "Servers take the new key up within seconds, without a restart."
        )

        @OptionGroup var shared: SharedOptions

        @Flag(help: "The old key is known to others: its tokens die now, and clients refresh.")
        var compromised = false

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() async throws {
            try await withServices(shared) { services, context in
                let rotation = try await services.access.rotateTokenKey(
                    isCompromised: compromised,
                    deadline: context.deadline
                )
                let active = rotation.active.iso8601
                if json {
                    Console.writeLine(["key": .string(rotation.id), "activeTime": .string(active)])
                } else {
                    Console.write("\(rotation.id) signs from \(active) on\n")
                }
            }
        }
    }
}
