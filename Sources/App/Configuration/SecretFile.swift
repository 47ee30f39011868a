import Foundation

/// A file that holds one secret, as orchestrators mount them.
enum SecretFile {
    /// Longer than any secret: a wrong path is noticed without reading a large file.
    private static let byteCountMax = 65_536

    /// Its text without the line end, or what is wrong with it.
    static func read(_ path: String) -> Result<String, Problem> {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return .failure(Problem("\(path) can't be read: \(String(cString: strerror(errno)))")) }
        defer { close(file) }
        // Asked of the open file, so that it cannot be exchanged in between.
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            return .failure(Problem("\(path) is no plain file"))
        }
        if let problem = exposure(of: path, mode: status.st_mode) { return .failure(problem) }
        var bytes = [UInt8](repeating: 0, count: byteCountMax + 1)
        let count = Foundation.read(file, &bytes, bytes.count)
        guard count >= 0 else { return .failure(Problem("\(path) can't be read: \(String(cString: strerror(errno)))")) }
        guard count <= byteCountMax, let text = String(bytes: bytes.prefix(count), encoding: .utf8) else {
            return .failure(Problem("\(path) holds no secret: more than \(byteCountMax) bytes, or no text"))
        }
        let secret = text.trimmingCharacters(in: .newlines)
        return secret.isEmpty ? .failure(Problem("\(path) is empty")) : .success(secret)
    }

    /// What is wrong when others may read the file; nil when they may not. A group may: that is how secrets are mounted.
    static func exposure(of path: String) -> Problem? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return exposure(of: path, mode: status.st_mode)
    }

    private static func exposure(of path: String, mode: mode_t) -> Problem? {
        mode & 0o007 == 0 ? nil : Problem("everybody on this machine may read \(path): chmod 600 '\(path)'")
    }

    struct Problem: Error {
        let text: String

        init(_ text: String) { self.text = text }
    }
}
