public import Hummingbird
import NIOCore

/// What Hummingbird hands to the responder beside a request.
public struct EdgeContext: Hummingbird.RequestContext {
    public var coreContext: CoreRequestContextStorage
    /// The connection, to close it when a request's body is not worth reading.
    let channel: any Channel

    public init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }
}
