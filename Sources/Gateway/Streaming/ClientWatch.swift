import NIOCore
import Synchronization

/// Knows when the client of a connection is gone: it closed, or it says that it sends no more.
///
/// A client that closes only its sending side and goes on reading is taken for gone as well. No client of an event
/// stream does that, and otherwise a closed one is noticed only by the second write that fails.
final class ClientWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Any

    /// Of the connections that are open. A request finds its own here: asking the pipeline means to wait for the event
    /// loop, which costs a small request as much as its work.
    private static let open = Mutex<[ObjectIdentifier: ClientPresence]>([:])

    private let presence = ClientPresence()

    /// Of the client of `channel`; nil when nobody watches it, as in tests without a socket, or when it has closed.
    static func on(_ channel: any Channel) -> ClientPresence? {
        open.withLock { $0[ObjectIdentifier(channel)] }
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let connection = ObjectIdentifier(context.channel)
        Self.open.withLock { $0[connection] = presence }
    }

    func handlerRemoved(context: ChannelHandlerContext) { end(context.channel) }

    func channelInactive(context: ChannelHandlerContext) {
        end(context.channel)
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { presence.end() }
        context.fireUserInboundEventTriggered(event)
    }

    private func end(_ channel: any Channel) {
        Self.open.withLock { $0[ObjectIdentifier(channel)] = nil }
        presence.end()
    }
}

/// Whether a client is still there, and who wants to hear when it is not.
final class ClientPresence: Sendable {
    private struct State {
        var hasGone = false
        var number: UInt64 = 0
        var listeners: [UInt64: @Sendable () -> Void] = [:]
    }

    private let state = Mutex(State())

    /// - Parameter act: called once, on any thread, when the client goes; at once if it has. Must be quick.
    /// - Returns: for `remove`, as a connection lives longer than its requests.
    func whenGone(_ act: @escaping @Sendable () -> Void) -> UInt64 {
        let (number, hasGone) = state.withLock { state in
            state.number += 1
            if !state.hasGone { state.listeners[state.number] = act }
            return (state.number, state.hasGone)
        }
        if hasGone { act() }
        return number
    }

    func remove(_ number: UInt64) { state.withLock { $0.listeners[number] = nil } }

    /// How many want to hear.
    var listenerCount: Int { state.withLock { $0.listeners.count } }

    func end() {
        let listeners = state.withLock { state in
            state.hasGone = true
            defer { state.listeners = [:] }
            return state.listeners
        }
        for act in listeners.values { act() }
    }
}
