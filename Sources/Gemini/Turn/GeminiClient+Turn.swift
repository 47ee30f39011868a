import Domain
import Outbound

extension GeminiClient {
    /// One turn of a conversation, over as many requests as it takes.
    ///
    /// A request that fails before it shows text is made again as the retrier allows; a reply that says CONTINUATION is
    /// continued; one that is empty or holds a broken call is asked for once more. After text nothing is repeated.
    ///
    /// - Parameters:
    ///   - isStreamed: pieces as they are written, or all at the end by generateContent.
    ///   - onPiece: awaited, in order: who reads slowly slows the stream. What it throws ends the turn.
    /// - Throws: `GeminiError`, with the usage so far; `CancellationError`, with the connection closed.
    public func turn(
        _ request: GeminiRequest,
        model: String,
        isStreamed: Bool = true,
        call: GeminiCall = GeminiCall(),
        onPiece: (GeminiPiece) async throws -> Void
    ) async throws -> GeminiTurn {
        let model = try GeminiModelName(model)
        try request.check()
        var request = request
        var machine = GeminiTurnMachine(outputTokensMax: request.settings.outputTokensMax)
        while true {
            let next: GeminiTurnMachine.Next
            do {
                try await retrier.run(
                    deadline: call.deadline,
                    verdict: { machine.mayRetry ? Self.verdict(on: $0) : .giveUp },
                    { _ in
                        machine.beginAttempt()
                        try await ask(request, model, isStreamed, call, &machine, onPiece)
                    }
                )
                next = machine.next()
            } catch let error as GeminiError {
                guard error.isTear, let resumed = machine.resume() else { throw error.adding(machine.usage) }
                next = resumed
            }
            switch next {
            case .done(let turn): return turn
            case .failed(let error): throw error
            case .hop(let token): request.continuationToken = token
            case .again(let checksCalls):
                request.continuationToken = nil
                if checksCalls, !request.functions.isEmpty, request.functionMode ?? .auto == .auto {
                    request.functionMode = .validated
                }
            }
        }
    }

    /// One request of a turn.
    private func ask(
        _ request: GeminiRequest,
        _ model: GeminiModelName,
        _ isStreamed: Bool,
        _ call: GeminiCall,
        _ machine: inout GeminiTurnMachine,
        _ onPiece: (GeminiPiece) async throws -> Void
    ) async throws {
        if machine.owesRestart {
            try await onPiece(.restarted)
            machine.tellsRestart()
        }
        let method: GeminiMethod = isStreamed ? .streamGenerateContent : .generateContent
        let order = Order(
            path: method.path(model),
            body: request.json.encoded(),
            deadlines: configuration.generating,
            model: model
        )
        do {
            if isStreamed {
                try await stream(order, model, call, &machine, onPiece)
            } else {
                try await whole(order, model, call, &machine, onPiece)
            }
        } catch is GeminiError where machine.isOver {
            // Everything had come, by the API's own word; what went wrong afterwards does not matter any more.
        }
    }

    private func stream(
        _ order: Order,
        _ model: GeminiModelName,
        _ call: GeminiCall,
        _ machine: inout GeminiTurnMachine,
        _ onPiece: (GeminiPiece) async throws -> Void
    ) async throws {
        var reader = GeminiStreamReader(client: self, model: model)
        try await exchange(order, call: call) { piece in
            try await reader.take(piece) { try await take($0, call, &machine, onPiece) }
        } onEnd: {
            try await reader.finish { try await take($0, call, &machine, onPiece) }
            guard machine.isOver else {
                throw GeminiError(.cut, "Gemini's answer ended in the middle", hint: "ask again")
            }
        }
    }

    private func whole(
        _ order: Order,
        _ model: GeminiModelName,
        _ call: GeminiCall,
        _ machine: inout GeminiTurnMachine,
        _ onPiece: (GeminiPiece) async throws -> Void
    ) async throws {
        var bytes: [UInt8] = []
        try await exchange(order, call: call) {
            bytes += $0
        } onEnd: {
            guard let reply = GeminiResponse(try json(bytes, model: model)) else {
                throw malformed("the reply is no object", bytes)
            }
            try await take(reply, call, &machine, onPiece)
            guard machine.isOver else { throw GeminiError(.cut, "Gemini's answer has no end", hint: "ask again") }
        }
    }

    private func take(
        _ reply: GeminiResponse,
        _ call: GeminiCall,
        _ machine: inout GeminiTurnMachine,
        _ onPiece: (GeminiPiece) async throws -> Void
    ) async throws {
        let pieces = machine.take(reply)
        if reply.usage != nil { call.onUsage?(machine.usage) }
        for piece in pieces { try await onPiece(piece) }
    }

    /// What the retrier is told about an error.
    static func verdict(on error: any Error) -> RetryVerdict {
        guard let error = error as? GeminiError, error.isTransient else { return .giveUp }
        return .retry(after: error.retryAfter)
    }
}

extension GeminiError {
    /// The connection failed, rather than the API said something.
    fileprivate var isTear: Bool { status == nil && (code == .cut || code == .timedOut) }

    fileprivate func adding(_ usage: GeminiUsage) -> GeminiError {
        var error = self
        error.usage = usage
        return error
    }
}

extension GeminiClient {
    /// How often one turn may be billed, in multiples of what one request may use: retries and continuations included.
    public static var billedAttemptsMax: Int { GeminiTurnMachine.billedAttemptsMax }
}
