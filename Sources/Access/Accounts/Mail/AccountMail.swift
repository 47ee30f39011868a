import Domain

/// A mail as it is handed to whoever sends it: plain text in UTF-8.
public struct AccountMail: Sendable {
    /// To be told when it is out.
    public let id: String
    public let recipient: String
    public let subject: String
    /// Lines end with a line feed.
    public let text: String
    /// How often it was tried, this time included.
    public let attempts: Int
}

extension AccountMail {
    /// - Parameter server: what the reader calls this server, such as its address.
    init(_ due: MailQueue.Due, server: String) {
        let token = due.token?.text.revealed ?? ""
        let words = Self.words(due.kind, token: token, address: due.recipient.shown)
        id = due.id
        recipient = due.recipient.text
        subject = words.subject
        attempts = due.attempts
        text = """
            \(words.text)

            This mail comes from pyairtable-ai at \(server). Nobody reads answers to it.

            """
    }

    private static func words(_ kind: MailQueue.Kind, token: String, address: String) -> (subject: String, text: String)
    {
        let minutes = Limits.mailedTokenLife.components.seconds / 60
        let life = "It works once, within \(minutes) minutes. If you asked for nothing, do nothing."
        switch kind {
        case .registration:
            return (
                "Confirm your e-mail address",
                """
                Somebody, most likely you, wants an account for \(address). To confirm the address, enter:

                \(token)

                (That is `token` of POST /api/v1/auth/verify.) \(life)
                """
            )
        case .accountExists:
            return (
                "You have an account already",
                """
                Somebody, most likely you, wanted a new account for \(address), which has one. Sign in with your
                password, or ask for a new one (POST /api/v1/auth/password/forgot). If it was not you, do nothing.
                """
            )
        case .reset:
            return (
                "Set a new password",
                """
                Somebody, most likely you, asked to set a new password for \(address). To do so, enter:

                \(token)

                (That is `token` of POST /api/v1/auth/password/reset.) \(life)
                """
            )
        case .email:
            return (
                "Confirm your new e-mail address",
                """
                To sign in with \(address) from now on, enter:

                \(token)

                (That is `token` of POST /api/v1/auth/verify.) \(life)
                """
            )
        case .invite:
            // Who invites, and to what, are words of theirs, and this server sends no words of strangers.
            return (
                "You are invited",
                """
                Somebody who uses this server invites \(address) to work with them. To join, enter:

                \(token)

                (That is `token` of POST /api/v1/auth/invites/accept, with your password: the one you have here, or one
                for a new account.) It works once, within \(Limits.inviteSeconds / 86_400) days. If you expected nothing, \
                do nothing.
                """
            )
        case .passwordChanged, .emailChanged, .newClient, .newKey, .nothing:
            return notice(kind, address: address)
        }
    }

    /// The words of mails that only tell what happened.
    private static func notice(_ kind: MailQueue.Kind, address: String) -> (subject: String, text: String) {
        switch kind {
        case .passwordChanged:
            return (
                "Your password was changed",
                """
                The password of your account \(address) was changed, and all other sessions ended. If it was not you,
                ask for a new one at once (POST /api/v1/auth/password/forgot).
                """
            )
        case .emailChanged:
            return (
                "Your e-mail address was changed",
                """
                Your account is no longer signed in to with \(address). If it was not you, tell who runs this server.
                """
            )
        case .newClient:
            return (
                "A new sign-in",
                """
                Somebody signed in to your account \(address) from a network that was not used for it before. If it was
                not you, change your password: that ends all other sessions.
                """
            )
        case .newKey:
            return (
                "A new API key",
                """
                An API key, or a new secret of one, acts for your account \(address) from now on. If it was not you, delete
                the key (DELETE /api/v1/api-keys/{keyId}) and change your password.
                """
            )
        case .registration, .accountExists, .reset, .email, .invite, .nothing:
            return ("", "")
        }
    }
}
