import Domain
import Foundation

/// Writes mails into a directory, one `.eml` file each, for a server without a relay: its operator reads them there.
///
/// They hold what opens accounts, and so can be read by their owner alone.
public struct FileOutbox: Mailer {
    let directory: String

    public init(_ directory: String) { self.directory = directory }

    public func send(_ message: MailMessage, timeout: Duration) async throws(OutboundError) {
        let name = message.time.iso8601.filter { $0.isNumber } + "-" + message.id.filter { $0.isLetter || $0.isNumber }
        let path = "\(directory)/\(name).eml"
        let temporary = "\(directory)/.\(name).part"
        do {
            try FileManager.default.createDirectory(
                atPath: directory,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
            let isWritten = FileManager.default.createFile(
                atPath: temporary,
                contents: Data(message.encoded),
                attributes: [.posixPermissions: 0o600]
            )
            guard isWritten, rename(temporary, path) == 0 else { throw CocoaError(.fileWriteUnknown) }
        } catch {
            throw OutboundError(
                .cannotConnect,
                "A mail could not be written.",
                hint: "look at the outbox's directory",
                detail: "\(error)"
            )
        }
    }
}
