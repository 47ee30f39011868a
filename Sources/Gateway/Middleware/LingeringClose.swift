import Hummingbird
import HummingbirdCore
import NIOCore

/// Ends a connection whose request was answered before its body was read.
///
/// Closing at once would make the system throw the answer away together with the bytes that still arrive. So the
/// client gets a moment to read it, in which what it still sends is dropped.
enum LingeringClose {
    static let grace = TimeAmount.milliseconds(500)

    static func body(_ bytes: ByteBuffer, on channel: any Channel) -> ResponseBody {
        ResponseBody(contentLength: bytes.readableBytes) { writer in
            if bytes.readableBytes > 0 { try await writer.write(bytes) }
            try await writer.finish(nil)
            channel.eventLoop.scheduleTask(in: grace) { channel.close(promise: nil) }
        }
    }
}
