import Domain
import Foundation

/// Reads texts, one a line, in bounded memory: plain, or as a JSON string a line.
///
/// Lines end with LF; one at the end without LF counts, and an empty line is an empty text.
struct TextLines {
    enum Format {
        case plain
        case json
    }

    /// Longer lines are refused: far more than any model reads.
    static let lineBytesMax = 16 * 1_024 * 1_024

    private let file: FileHandle
    private let format: Format
    private var buffer: [UInt8] = []
    private var start = 0
    private var isAtEnd = false
    private var line = 0

    /// - Parameter path: of a file, or "-" for standard input.
    init(path: String, format: Format) throws {
        if path == "-" {
            file = .standardInput
        } else {
            var isDirectory: ObjCBool = false
            if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue {
                throw EmbedInputError(.inputMissing, "\(path) is a directory, not a file of texts")
            }
            guard let opened = FileHandle(forReadingAtPath: path) else {
                let reason = String(cString: strerror(errno))
                throw EmbedInputError(.inputMissing, "can't read \(path): \(reason)")
            }
            file = opened
        }
        self.format = format
    }

    /// Up to `count` further texts; empty at the end.
    mutating func next(_ count: Int) throws -> [String] {
        var texts: [String] = []
        while texts.count < count, let bytes = try nextLine() {
            line += 1
            texts.append(try text(bytes))
        }
        return texts
    }

    private mutating func nextLine() throws -> ArraySlice<UInt8>? {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                return buffer[start..<end]
            }
            searched = buffer.count
            if isAtEnd {
                defer { start = buffer.count }
                return start < buffer.count ? buffer[start...] : nil
            }
            guard buffer.count - start <= Self.lineBytesMax else {
                throw EmbedInputError(.lineTooLong, "line \(line + 1) is longer than \(Self.lineBytesMax) bytes")
            }
            searched -= start
            buffer.removeFirst(start)
            start = 0
            do {
                let more = try file.read(upToCount: 1 << 18) ?? Data()
                isAtEnd = more.isEmpty
                buffer += more
            } catch {
                throw EmbedInputError(.inputMissing, "reading failed after line \(line): \(error.localizedDescription)")
            }
        }
    }

    private func text(_ bytes: ArraySlice<UInt8>) throws -> String {
        switch format {
        case .plain:
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw EmbedInputError(.invalidUTF8, "line \(line) is not UTF-8", hint: "convert it with iconv")
            }
            return text
        case .json:
            let value: JSONValue
            do {
                value = try JSONValue(parsing: Array(bytes), limits: JSONLimits(bytes: Self.lineBytesMax))
            } catch {
                // The document is the line: of its position only the column says something.
                let reason = error.message.split(separator: ": ", maxSplits: 1).last ?? ""
                let column = error.position.map { ", column \($0.column)" } ?? ""
                throw EmbedInputError(.invalidJSON, "line \(line)\(column) is no JSON string: \(reason)")
            }
            guard let text = value.stringValue else {
                throw EmbedInputError(.invalidJSON, "line \(line) is a JSON \(value.typeName), not a string")
            }
            return text
        }
    }
}
