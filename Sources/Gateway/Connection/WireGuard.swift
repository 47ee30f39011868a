import Domain
import NIOCore
import NIOHTTP1

/// The first handler of a connection: lets only requests through that can be read in one way, one at a time, in time.
///
/// It stands before NIO's decoder and hands it heads that kept every rule, bodies cut to what the head announced, and
/// chunks written anew; so whatever the decoder would make of anything else never matters. The next request waits until
/// this one has its answer: a refusal is then always the answer to the request that earned it, and the last thing on
/// its connection. Together with `ResponseTracker` it gives each request exactly one answer or none.
final class WireGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    /// How long each part may take.
    struct Times: Sendable, Hashable {
        /// A head, from its first byte.
        var head: TimeAmount
        /// A body, from one byte to the next.
        var bodyIdle: TimeAmount
        /// A connection without a request.
        var idle: TimeAmount
        /// A client that takes nothing of what waits for it.
        var stall: TimeAmount
        /// A connection when the server stops.
        var drain: TimeAmount
        /// What is left of a body whose request has its answer.
        var leftover = TimeAmount.seconds(5)
    }

    private enum Phase {
        case head
        /// So many bytes of the body are to come.
        case body(Int)
        case chunked(ChunkedBodyScanner)
        /// The request is read; what comes next waits for its answer.
        case answering
        /// Nothing is read any more.
        case refused
        /// No HTTP any more.
        case raw
    }

    private enum Answer { case none, begun, ended }
    private enum Expiry { case head, body, leftover, idle }

    private let times: Times
    /// Makes the whole answer to what is refused.
    private let refusal: @Sendable (WireRefusal, RemoteAddress?) -> ByteBuffer
    /// Set for a connection that is one too many.
    private let isSurplus: Bool
    private var phase = Phase.head
    private var answer = Answer.ended
    private var pending = ByteBuffer()
    private var scanner = RequestHeadScanner()
    private var facts = RequestHeadFacts()
    private var isQuiescing = false
    /// Outgoing bytes are dropped: the last ones were this handler's.
    private var isMuted = false
    private var holdsRead = false
    private var holdsInputClosed = false
    private var isProcessing = false
    private let timer = MovingTimer()
    /// What the timer is for; nil while nothing has to come in time.
    private var expiry: Expiry?
    private var stalled: Scheduled<Void>?
    private var draining: Scheduled<Void>?

    init(times: Times, isSurplus: Bool, refusal: @escaping @Sendable (WireRefusal, RemoteAddress?) -> ByteBuffer) {
        self.times = times
        self.isSurplus = isSurplus
        self.refusal = refusal
    }

    // MARK: What the tracker tells and asks

    /// Whether the connection ends after the answer under way.
    var closesAfterAnswer: Bool { facts.closes || isQuiescing }
    var isVersion10: Bool { facts.isVersion10 }

    func answerBegan() { answer = .begun }

    /// The last part of an answer is on its way to the socket.
    ///
    /// - Parameter isLast: whether the connection ends with it; what else comes is dropped then.
    func answerEnded(isLast: Bool, context: ChannelHandlerContext) {
        answer = .ended
        if isLast {
            phase = .refused
            expiry = nil
            pending = ByteBuffer()
            return context.read()
        }
        switch phase {
        case .answering: phase = .head
        case .body, .chunked: expire(.leftover, in: times.leftover, context)
        case .head, .refused, .raw: return
        }
        guard case .head = phase, !closesAfterAnswer else { return }
        expire(.idle, in: times.idle, context)
        guard pending.readableBytes > 0 || holdsRead || holdsInputClosed else { return }
        // Not from within the write that ended the answer.
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.execute {
            let (guardian, context) = loopBound.value
            guardian.goOn(context)
        }
    }

    /// What was not HTTP reached the decoder after all.
    func refuseParsed(context: ChannelHandlerContext) { refuse(WireRefusal(.requestLine), context) }

    /// The connection is a WebSocket's from here.
    func becomeRaw() {
        guard let context else { return }
        phase = .raw
        expiry = nil
        goOn(context)
    }

    private var context: ChannelHandlerContext?

    // MARK: ChannelHandler

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { begin(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { forget() }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        forget()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch phase {
        case .refused: return
        case .raw: return context.fireChannelRead(data)
        default: break
        }
        var bytes = unwrapInboundIn(data)
        if pending.readableBytes == 0 { pending = bytes } else { pending.writeBuffer(&bytes) }
        process(context)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // Nobody behind this asks for more of what is dropped, and unread it would take the answer with it.
        if case .refused = phase { context.read() }
        context.fireChannelReadComplete()
    }

    func read(context: ChannelHandlerContext) {
        if case .answering = phase, pending.readableBytes >= Limits.pipelinedBytes {
            holdsRead = true
            return
        }
        context.read()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if isMuted { promise?.fail(ChannelError.ioOnClosedChannel) } else { context.write(data, promise: promise) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stalled?.cancel()
        stalled = nil
        if !context.channel.isWritable {
            let loopBound = NIOLoopBound(context, eventLoop: context.eventLoop)
            stalled = context.eventLoop.scheduleTask(in: times.stall) { loopBound.value.close(promise: nil) }
        }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent {
            isQuiescing = true
            // A request of which only a part is here has not begun.
            if case .head = phase { return context.close(promise: nil) }
            let loopBound = NIOLoopBound(context, eventLoop: context.eventLoop)
            draining = context.eventLoop.scheduleTask(in: times.drain) { loopBound.value.close(promise: nil) }
        }
        if event as? ChannelEvent == .inputClosed {
            switch phase {
            case .head, .refused: return context.close(promise: nil)
            case .answering where pending.readableBytes > 0:
                // Whoever closed their side after several requests still wants all the answers.
                holdsInputClosed = true
                return
            default: break
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    // MARK: Reading

    private func begin(_ context: ChannelHandlerContext) {
        if isSurplus { return refuse(WireRefusal(.surplusConnection), context) }
        if expiry == nil { expire(.idle, in: times.idle, context) }
    }

    private func goOn(_ context: ChannelHandlerContext) {
        process(context)
        if holdsRead {
            holdsRead = false
            context.read()
        }
        if holdsInputClosed, pending.readableBytes == 0 {
            holdsInputClosed = false
            userInboundEventTriggered(context: context, event: ChannelEvent.inputClosed)
        }
        context.fireChannelReadComplete()
    }

    /// Takes what can be taken of the bytes that wait.
    private func process(_ context: ChannelHandlerContext) {
        guard !isProcessing else { return }
        isProcessing = true
        defer { isProcessing = false }
        var isMoving = true
        while isMoving {
            switch phase {
            case .head: isMoving = takeHead(context)
            case .body(let left): isMoving = take(left, context)
            case .chunked(var chunks):
                let step = pending.withUnsafeReadableBytes { chunks.scan($0) }
                phase = .chunked(chunks)
                isMoving = take(step, context)
            case .raw:
                let rest = pending
                pending = ByteBuffer()
                if rest.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(rest)) }
                isMoving = false
            case .answering, .refused: isMoving = false
            }
        }
        if pending.readableBytes == 0 { pending = ByteBuffer() }
    }

    private func takeHead(_ context: ChannelHandlerContext) -> Bool {
        guard pending.readableBytes > 0, !isQuiescing else { return false }
        switch pending.withUnsafeReadableBytes({ scanner.scan($0) }) {
        case .needsMore:
            if scanner.hasBegun, expiry != .head { expire(.head, in: times.head, context) }
            return false
        case .refused(let fault):
            refuse(WireRefusal(fault), context)
            return false
        case .complete(let end):
            let checked = pending.withUnsafeReadableBytes { bytes in
                Result { () throws(WireRefusal) in
                    try RequestHeadRules.check(bytes, line: scanner.line, fields: scanner.fields)
                }
            }
            switch checked {
            case .failure(let error):
                refuse(error, context)
                return false
            case .success(let facts): forwardHead(facts, end: end, context)
            }
            return true
        }
    }

    private func forwardHead(_ facts: RequestHeadFacts, end: Int, _ context: ChannelHandlerContext) {
        self.facts = facts
        answer = .none
        let start = scanner.line.lowerBound
        scanner.reset()
        let head = facts.forwarded(pending.readSlice(length: end) ?? ByteBuffer(), from: start)
        switch facts.framing {
        case .none:
            phase = .answering
            expiry = nil
        case .length(let length):
            phase = .body(length)
            expire(.body, in: times.bodyIdle, context)
        case .chunked:
            phase = .chunked(ChunkedBodyScanner())
            expire(.body, in: times.bodyIdle, context)
        }
        if facts.expectsContinue, pending.readableBytes == 0 {
            context.writeAndFlush(wrapOutboundOut(.byteBuffer(Self.goOnAnswer)), promise: nil)
        }
        context.fireChannelRead(wrapInboundOut(head))
    }

    /// Of a body of known length.
    private func take(_ left: Int, _ context: ChannelHandlerContext) -> Bool {
        guard let bytes = pending.readSlice(length: min(left, pending.readableBytes)), bytes.readableBytes > 0 else {
            return false
        }
        let rest = left - bytes.readableBytes
        phase = .body(rest)
        bodyMoved(isDone: rest == 0, context)
        context.fireChannelRead(wrapInboundOut(bytes))
        return true
    }

    private func take(_ step: ChunkedBodyScanner.Step, _ context: ChannelHandlerContext) -> Bool {
        switch step {
        case .needsMore: return false
        case .skip(let count): pending.moveReaderIndex(forwardBy: count)
        case .content(let count):
            let content = pending.readSlice(length: count) ?? ByteBuffer()
            var chunk = ByteBuffer(string: String(count, radix: 16) + "\r\n")
            chunk.writeImmutableBuffer(content)
            chunk.writeStaticString("\r\n")
            bodyMoved(isDone: false, context)
            context.fireChannelRead(wrapInboundOut(chunk))
        case .end(let count):
            pending.moveReaderIndex(forwardBy: count)
            bodyMoved(isDone: true, context)
            context.fireChannelRead(wrapInboundOut(ByteBuffer(string: "0\r\n\r\n")))
        case .refused(let fault):
            refuse(WireRefusal(fault), context)
            return false
        }
        return true
    }

    private func bodyMoved(isDone: Bool, _ context: ChannelHandlerContext) {
        if !isDone {
            if answer != .ended { expire(.body, in: times.bodyIdle, context) }
            return
        }
        expiry = nil
        phase = answer == .ended ? .head : .answering
        if answer == .ended { expire(.idle, in: times.idle, context) }
    }

    // MARK: Refusing

    /// Answers and ends the connection; only ends it when an answer has begun.
    private func refuse(_ refused: WireRefusal, _ context: ChannelHandlerContext) {
        if case .refused = phase { return }
        let isReading: Bool
        let isHalfAnswered: Bool
        switch phase {
        case .body, .chunked: (isReading, isHalfAnswered) = (true, answer != .none)
        case .answering: (isReading, isHalfAnswered) = (false, answer != .none)
        case .head, .refused, .raw: (isReading, isHalfAnswered) = (false, false)
        }
        phase = .refused
        expiry = nil
        pending = ByteBuffer()
        // Made in any case: it is also what counts and logs the refusal.
        let bytes = refusal(refused, RemoteAddress(context.channel))
        defer {
            // Whoever is reading the body must not take what came for the whole of it.
            if isReading { context.fireErrorCaught(HTTPParserError.closedConnection) }
        }
        isMuted = true
        if isHalfAnswered { return context.close(promise: nil) }
        let loopBound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(.byteBuffer(bytes))).whenComplete { _ in
            let context = loopBound.value
            context.close(mode: .output, promise: nil)
            // What still arrives is dropped, so that the answer is not thrown away with it.
            context.eventLoop.scheduleTask(in: LingeringClose.grace) { loopBound.value.close(promise: nil) }
        }
    }

    private static let goOnAnswer = ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")

    // MARK: Time

    private func expire(_ what: Expiry, in time: TimeAmount, _ context: ChannelHandlerContext) {
        expiry = what
        timer.fire(in: time, on: context.eventLoop) { [weak self] in self?.timePassed(context) }
    }

    private func timePassed(_ context: ChannelHandlerContext) {
        guard let what = expiry else { return }
        expiry = nil
        switch what {
        case .head: refuse(WireRefusal(.headTime), context)
        case .body: refuse(WireRefusal(.bodyTime), context)
        case .idle, .leftover: context.close(promise: nil)
        }
    }

    private func forget() {
        timer.cancel()
        stalled?.cancel()
        draining?.cancel()
        (expiry, stalled, draining, context) = (nil, nil, nil, nil)
    }
}
