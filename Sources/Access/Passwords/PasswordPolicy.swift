import Domain

/// Which passwords may be chosen. What is already somebody's password is never held against it.
///
/// Length and what others choose are all that counts: rules of composition make people add `1!`.
struct PasswordPolicy: Sendable {
    /// Words that somebody who guesses at this account tries first.
    let contextWords: [String]

    /// Names shorter than this are parts of many honest words.
    private static let contextWordCharacters = 4

    /// - Parameter names: of the person, their e-mail address before the `@`, their tenant; each is taken apart at what
    ///   is no letter and no digit.
    init(names: [String] = []) {
        let parts = names.flatMap { name in
            [name] + name.split { !$0.isLetter && !$0.isNumber }.map(String.init)
        }
        contextWords = Set((["pyairtable", "airtable"] + parts).map { $0.lowercased() })
            .filter { $0.count >= Self.contextWordCharacters }
            // Longer ones first, so that "airtable" is not taken out of "pyairtable".
            .sorted { ($1.count, $0) < ($0.count, $1) }
    }

    /// - Throws: `AccessError` `weakPassword`, which says what is wrong and never holds the password.
    func check(_ password: Password) throws(AccessError) {
        let scalars = password.text.unicodeScalars
        guard scalars.count >= Limits.passwordCharacters.lowerBound else {
            throw Self.refusal("A password has at least \(Limits.passwordCharacters.lowerBound) characters.")
        }
        guard scalars.count <= Limits.passwordCharacters.upperBound, password.isWithinBytes else {
            throw Self.refusal("A password has at most \(Limits.passwordCharacters.upperBound) characters.")
        }
        guard !scalars.contains("\0") else {
            throw Self.refusal("A password cannot hold the character U+0000.")
        }
        guard !CommonPasswords.contain(password.text) else {
            throw Self.refusal("This password is one of those that are guessed first.")
        }
        guard !isMadeOfContext(password.text) else {
            throw Self.refusal("This password is made of your name, your address or the name of this product.")
        }
    }

    /// Whether too little is left once the words everybody can guess are taken out.
    private func isMadeOfContext(_ text: String) -> Bool {
        let whole = text.lowercased()
        var rest = whole
        for word in contextWords { rest = rest.replacing(word, with: "") }
        return rest != whole && rest.unicodeScalars.count < Limits.passwordCharacters.lowerBound
    }

    private static func refusal(_ message: String) -> AccessError {
        AccessError(
            .weakPassword,
            message,
            hint: "three or four words that have nothing to do with each other are good"
        )
    }
}
