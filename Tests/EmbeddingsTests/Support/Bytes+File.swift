import Foundation

extension [UInt8] {
    func write(to directory: URL, _ name: String) throws {
        try Data(self).write(to: directory.appendingPathComponent(name))
    }

    /// A copy with the first occurrence of `old` replaced.
    func replacing(_ old: String, with new: String) -> [UInt8] {
        let text = Data(self)
        guard let range = text.range(of: Data(old.utf8)) else { return self }
        return Array(text[..<range.lowerBound] + Data(new.utf8) + text[range.upperBound...])
    }
}
