public import Domain
public import Logging
import Synchronization

/// An MCP server on stdio; `MCPEndpoint` is one on HTTP.
///
/// Speaks all revisions (`ProtocolRevision`), on one connection if need be. Each request runs in a task of its own with a context
/// of its own; what a provider throws becomes a result the model can read.
public struct MCPServer: Sendable {
    /// Bounds of the stdio transport.
    public struct StdioOptions: Sendable {
        /// Bytes of one message without its line feed; a longer one is refused and skipped unread.
        public var messageByteCountMax: Int
        /// How long requests in flight may go on when the input has ended or the task was cancelled.
        public var drainTimeout: Duration
        /// How long the last answers may then take to be written.
        public var flushTimeout: Duration
        /// Waits for what requests wait for before they can work; their time to finish when the input ends counts from then.
        public var ready: @Sendable () async -> Void

        /// Together the two timeouts stay below the second within which a client expects us gone.
        public init(
            messageByteCountMax: Int = Limits.jsonBytes,
            drainTimeout: Duration = .milliseconds(700),
            flushTimeout: Duration = .milliseconds(200),
            ready: @escaping @Sendable () async -> Void = {}
        ) {
            self.messageByteCountMax = messageByteCountMax
            self.drainTimeout = drainTimeout
            self.flushTimeout = flushTimeout
            self.ready = ready
        }
    }

    private let session: ServerSession.Configuration
    private let performer: WorkPerformer
    private let times: SessionTimes
    private let makeContext: @Sendable (String) async throws -> RequestContext

    /// - Parameters:
    ///   - logger: must not write to the output that `serveStdio` uses.
    ///   - makeContext: makes the context of one request, given an id that is unique among requests. Its deadline must leave room
    ///     for questions to the client's user: `Limits.mcpAnswerSeconds`. How long a request may work is bounded here.
    public init(
        info: ServerInfo,
        offer: MCPOffer,
        logger: Logger,
        makeContext: @escaping @Sendable (String) async throws -> RequestContext
    ) {
        self.init(ServerSession.Configuration(info: info), offer: offer, logger: logger, makeContext: makeContext)
    }

    package init(
        _ session: ServerSession.Configuration,
        offer: MCPOffer,
        logger: Logger,
        times: SessionTimes = SessionTimes(),
        now: @escaping InstantSource = { .now() },
        makeContext: @escaping @Sendable (String) async throws -> RequestContext
    ) {
        self.session = session.offering(offer)
        self.performer = WorkPerformer(offer: offer, logger: logger, now: now)
        self.times = times
        self.makeContext = makeContext
    }

    /// Serves one session: one message per line in, one per line out, and nothing else is written to `output`.
    ///
    /// Returns when the input has ended, when nobody reads the output any more, or when the task is cancelled:
    /// requests in flight then have `drainTimeout` to finish and are answered with an error after that.
    /// Both descriptors stay the caller's and are not closed.
    ///
    /// - Throws: `MCPError` `.transport` when a descriptor can't be read.
    public func serveStdio(
        input: Int32 = 0,
        output: Int32 = 1,
        options: StdioOptions = StdioOptions()
    ) async throws(MCPError) {
        let writer = try LineWriter(descriptor: output)
        let reader = try LineReader(descriptor: input, lineByteCountMax: options.messageByteCountMax) { line in
            Self.decode(line, byteCountMax: options.messageByteCountMax)
        }
        try writer.start(failed: { reader.stop() })
        do {
            // Whoever waits for room would not notice that reading has ended, by itself or by `stop`.
            try reader.start(ended: { writer.release() })
        } catch {
            await writer.close(within: .zero)
            throw error
        }
        await serve(reader, writer, options)
        if let failure = reader.failure { throw failure }
    }

    private func serve(_ reader: LineReader<Inbound>, _ writer: LineWriter, _ options: StdioOptions) async {
        let requestIDPrefix = Self.requestIDPrefix()
        let requestNumber = Atomic(0)
        let facts = ExchangeFacts(makeContext: { [makeContext] in
            let number = requestNumber.wrappingAdd(1, ordering: .relaxed).newValue
            return try await makeContext("\(requestIDPrefix)-\(number)")
        })
        let runner = SessionRunner(
            session: ServerSession(session),
            performer: performer,
            outlet: LineOutlet(writer: writer),
            times: times
        )
        await withTaskCancellationHandler {
            while let inbound = await reader.next() {
                runner.receive(inbound, on: .only, facts)
                // Waits only for room to write, never for work.
                await writer.waitForRoom()
            }
        } onCancel: {
            reader.stop()
        }
        if !Task.isCancelled, !writer.isFinished, !runner.isIdle { await options.ready() }
        // A task of its own, awaited here: what is in flight is to be answered also when we were cancelled.
        await Task {
            await runner.finish(within: writer.isFinished ? .zero : options.drainTimeout)
            await writer.close(within: options.flushTimeout)
        }.value
    }

    private static func decode(_ line: LineSplitter.Line, byteCountMax: Int) -> Inbound? {
        switch line {
        case .whole(let bytes): MessageDecoder.decode(bytes, byteCountMax: byteCountMax)
        case .tooLong: .single(.malformed(.lineTooLong(byteCountMax: byteCountMax), id: nil))
        }
    }

    /// Differs between processes, so that the ids of two servers on one data directory can share a log.
    private static func requestIDPrefix() -> String {
        "mcp-" + String(UInt32.random(in: .min ... .max), radix: 36)
    }
}

/// One way back for everything: the output.
private struct LineOutlet: MessageOutlet {
    let writer: LineWriter

    func send(_ message: OutboundMessage, to channel: Channel) { writer.enqueue(message.json.encoded()) }
    func settle(_ exchange: ExchangeID) {}
    func release(_ exchange: ExchangeID) {}
}
