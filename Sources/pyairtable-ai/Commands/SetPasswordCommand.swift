import Access
import App
import ArgumentParser
import Domain
import Foundation

extension UserCommand {
    /// `user set-password`: how the first person comes to sign in.
    struct SetPassword: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set-password",
            abstract: "Give a user with an e-mail address a password to sign in with; they have to change it then.",
            discussion: """
                The password is read from standard input, or from a file: its first line, without the line's end. It is \
                never an argument, since others on the machine see those. All sessions of the user end.
                """
        )

        @OptionGroup var shared: SharedOptions

        @Argument(help: "The user's id, as `user list` shows it.")
        var user: String

        @Option(help: "A file that holds the password, in place of standard input.")
        var passwordFile: String?

        func run() async throws {
            guard let id = UserID(user) else {
                throw UsageError.because("\(user) is no user id: expected usr and 14 characters")
            }
            let password = try PasswordInput.read(file: passwordFile)
            try await withServices(shared) { services, context in
                try await services.accounts.givePassword(password, to: id, context: context)
                Console.write("\(id) can sign in, and has to choose another password then\n")
            }
        }
    }
}

/// A password from standard input or a file.
enum PasswordInput {
    /// Far more than any password.
    private static let bytes = 4_096

    static func read(file: String?) throws -> Password {
        let text: String?
        if let file {
            text = FileManager.default.contents(atPath: file).map { String(decoding: $0.prefix(bytes), as: UTF8.self) }
        } else if isatty(STDIN_FILENO) == 1 {
            Console.writeError("New password: ")
            text = withoutEcho { readLine(strippingNewline: true) }
            Console.writeError("\n")
        } else {
            text = readLine(strippingNewline: true)
        }
        let line = text?.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false).first
        guard var line, !line.isEmpty else {
            throw UsageError.because(
                "there is no password on \(file.map { "the first line of \($0)" } ?? "standard input")"
            )
        }
        if line.hasSuffix("\r") { line.removeLast() }
        return Password(String(line))
    }

    /// What is typed meanwhile does not show.
    private static func withoutEcho<T>(_ body: () -> T) -> T {
        var old = termios()
        guard tcgetattr(STDIN_FILENO, &old) == 0 else { return body() }
        var quiet = old
        quiet.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSANOW, &quiet)
        defer { tcsetattr(STDIN_FILENO, TCSANOW, &old) }
        return body()
    }
}
