/// The passwords that are tried first by whoever guesses: the list that `scripts/common-passwords` makes.
enum CommonPasswords {
    /// In lower case; read once, at the first choice of a password.
    private static let all: Set<Substring> = {
        let text = String(decoding: PackageResources.common_passwords_txt, as: UTF8.self)
        return Set(text.split(separator: "\n").filter { !$0.hasPrefix("#") })
    }()

    static var count: Int { all.count }

    /// Whether `text` is one of them, whatever its case.
    static func contain(_ text: String) -> Bool { all.contains(text.lowercased()[...]) }
}
