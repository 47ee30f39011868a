import NIOCore
import ServiceLifecycle
import Synchronization

/// Runs the handler of a streamed answer beside all that may end it: the client's going, a client that reads nothing,
/// the server's shutdown, the end of its key, the stream's bound.
struct StreamRun: Sendable {
    let stream: ReplyStream
    let channel: any Channel
    let heartbeatInterval: Duration
    /// Nil for a stream that is open to everybody.
    let keyWatch: KeyWatch?
    /// How long one write may wait for the client.
    let stallLimit: Duration
    /// How long it may go on when the server shuts down.
    let grace: Duration
    let lengthLimit: Duration

    /// How long a stream that would go on has for its last word when the server shuts down.
    static let farewell = Duration.milliseconds(500)
    /// How long a client that reads slowly may take for what is left when the server shuts down.
    private static let shutdownGrace = TimeAmount.seconds(2)

    /// - Returns: how it ended and, with `failed`, why. When it is back, nobody writes any more.
    func run(_ writer: ReplyWriter) async -> (end: StreamEnd, error: (any Error)?) {
        let stop = StopSignal()
        let presence = ClientWatch.on(channel)
        let watch = presence?.whenGone { stop.fire(.gone) }
        defer { if let watch { presence?.remove(watch) } }
        return await withGracefulShutdownHandler {
            await run(writer, stop)
        } onGracefulShutdown: {
            // Ends as soon as it has told the handler.
            if let finish = stream.finish { Task { await finish() } }
            guard grace > .zero else { return stop.fire(.shutdown) }
            channel.eventLoop.scheduleTask(in: TimeAmount(grace)) { stop.fire(.shutdown) }
        }
    }

    private func run(_ writer: ReplyWriter, _ stop: StopSignal) async -> (end: StreamEnd, error: (any Error)?) {
        await withTaskGroup(of: (end: StreamEnd, error: (any Error)?).self) { group in
            group.addTask {
                do {
                    try await stream.write(writer)
                    return (.complete, nil)
                } catch {
                    return writer.isBroken ? (.gone, nil) : (.failed, error)
                }
            }
            group.addTask { (await stop.wait(), nil) }
            group.addTask { (await supervise(writer, stop), nil) }
            if let keyWatch {
                group.addTask {
                    guard await keyWatch.untilDead() else { return (await stop.wait(), nil) }
                    return (.keyDied, nil)
                }
            }
            group.addTask { (await beat(writer, stop), nil) }
            // The first to end decides; a handler that is cancelled then has nothing more to say.
            let first = await group.next() ?? (.complete, nil)
            if first.end == .stalled || first.end == .gone { channel.close(promise: nil) }
            let late =
                first.end == .shutdown
                ? channel.eventLoop.scheduleTask(in: Self.shutdownGrace) { channel.close(promise: nil) } : nil
            group.cancelAll()
            stop.fire(first.end)
            await group.waitForAll()
            late?.cancel()
            return first
        }
    }

    /// Looks for a client that takes nothing, and for the end of the stream's time. Writes nothing, or it would wait for
    /// that client itself.
    private func supervise(_ writer: ReplyWriter, _ stop: StopSignal) async -> StreamEnd {
        let end = ContinuousClock.now + lengthLimit
        let interval = min(heartbeatInterval, stallLimit)
        while true {
            let activity = writer.activity
            let look = activity.isWaiting ? activity.last + stallLimit : .now + interval
            do {
                try await Task.sleep(until: min(look, end), clock: .continuous)
            } catch {
                return await stop.wait()
            }
            if ContinuousClock.now >= end { return .tooLong }
            let now = writer.activity
            if now.isWaiting, now.last + stallLimit <= .now { return .stalled }
        }
    }

    /// Sends heartbeats into silence.
    private func beat(_ writer: ReplyWriter, _ stop: StopSignal) async -> StreamEnd {
        while true {
            let activity = writer.activity
            do {
                let look = (activity.isWaiting ? .now : activity.last) + heartbeatInterval
                try await Task.sleep(until: look, clock: .continuous)
                let now = writer.activity
                guard !now.isWaiting, now.last + heartbeatInterval <= .now else { continue }
                try await writer.beat(stream.heartbeat)
            } catch {
                return writer.isBroken ? .gone : await stop.wait()
            }
        }
    }
}

/// Fires once, with the first reason that comes; waiting before or after makes no difference, and is not cancelled.
final class StopSignal: Sendable {
    private struct State {
        var end: StreamEnd?
        var waiting: [CheckedContinuation<StreamEnd, Never>] = []
    }

    private let state = Mutex(State())

    func fire(_ end: StreamEnd) {
        let waiting = state.withLock { state -> [CheckedContinuation<StreamEnd, Never>] in
            guard state.end == nil else { return [] }
            state.end = end
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume(returning: end) }
    }

    func wait() async -> StreamEnd {
        await withCheckedContinuation { continuation in
            let end = state.withLock { state -> StreamEnd? in
                if state.end == nil { state.waiting.append(continuation) }
                return state.end
            }
            if let end { continuation.resume(returning: end) }
        }
    }
}
