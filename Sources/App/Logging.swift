import Domain
import Foundation
public import Logging

/// Log lines on stderr: readable on a terminal, one JSON object a line elsewhere.
///
/// Thread-safe: a line is one `write`.
struct StandardErrorLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level
    let label: String
    let isReadable: Bool

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let merged = metadata.merging(event.metadata ?? [:]) { _, new in new }
        var bytes = isReadable ? Array(readable(event, merged).utf8) : json(event, merged)
        bytes.append(UInt8(ascii: "\n"))
        // A log line that can't be written has nowhere to be reported.
        _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    private func readable(_ event: LogEvent, _ metadata: Logger.Metadata) -> String {
        let time = Instant.now().iso8601.dropFirst(11).prefix(8)
        let values = metadata.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        return Self.plain("\(time) \(event.level.rawValue.uppercased()) \(event.message)\(values)")
    }

    /// One line, whatever it holds: what would begin another or command a terminal is written as `\u{1B}`.
    static func plain(_ line: String) -> String {
        line.unicodeScalars.reduce(into: "") { plain, scalar in
            switch scalar.value {
            case 0x00..<0x20, 0x7F...0x9F, 0x061C, 0x200E, 0x200F, 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069:
                plain += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
            default: plain.unicodeScalars.append(scalar)
            }
        }
    }

    private func json(_ event: LogEvent, _ metadata: Logger.Metadata) -> [UInt8] {
        var writer = JSONWriter(byteLimit: .max)
        writer.beginObject()
        writer.member("time", Instant.now().iso8601)
        writer.member("level", event.level.rawValue)
        writer.member("message", event.message.description)
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) where !Self.own.contains(key) {
            writer.member(key, Self.text(value))
        }
        writer.endObject()
        // Strings alone, and no bound: nothing can fail.
        return (try? writer.finish()) ?? []
    }

    private static let own: Set<String> = ["time", "level", "message"]

    private static func text(_ value: Logger.MetadataValue) -> String {
        switch value {
        case .string(let text): text
        case .stringConvertible(let value): value.description
        case .array, .dictionary: "\(value)"
        }
    }
}

extension JSONWriter {
    fileprivate mutating func member(_ name: String, _ text: String) {
        key(name)
        string(text)
    }
}

extension Logger {
    /// The process's logger, as the settings say.
    public static func standardError(_ configuration: AppConfiguration) -> Logger {
        Logger(label: "pyairtable-ai") { label in
            StandardErrorLogHandler(
                logLevel: configuration.logLevel,
                label: label,
                isReadable: isatty(STDERR_FILENO) == 1
            )
        }
    }
}
