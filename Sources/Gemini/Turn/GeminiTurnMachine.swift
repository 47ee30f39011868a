import Domain

/// Puts a turn together from the replies of its requests, and decides what follows when one is over. No I/O, no
/// clock.
///
/// A turn is one or more *hops* (requests that continue one another), each of one or more *attempts*. What an attempt
/// gave is void when it failed before it showed text; what a hop gave stays.
struct GeminiTurnMachine {
    /// What follows a finished request.
    enum Next {
        case done(GeminiTurn)
        case hop(token: String)
        /// From the start, once; nothing was shown but thoughts. In the mode that checks calls, if they were the trouble.
        case again(checksCalls: Bool)
        case failed(GeminiError)
    }

    /// Of output a request may use; what a request is taken to cost beforehand.
    private let outputTokensMax: Int
    private var parts: [JSONObject] = []
    private var hopStart = 0
    private var hops = 1
    private var hasTriedAgain = false
    private var hasShownThoughts = false
    /// Whether a thought that was shown is void by now and nobody was told yet.
    private(set) var owesRestart = false
    private var hasText = false
    private var hasTextInAttempt = false
    private var finish: GeminiFinish?
    private var finishMessage: String?
    private var startToken: String?
    /// The newest of the attempt; `isTokenFresh` while nothing came after it.
    private var token: String?
    private var isTokenFresh = false
    private var usageBefore = GeminiUsage()
    private var usageOfAttempt = GeminiUsage()
    /// Of one request.
    private var promptMax = 0
    private var modelVersion: String?
    private var modelStage: String?

    init(outputTokensMax: Int?) { self.outputTokensMax = outputTokensMax ?? 65_536 }

    /// Of everything so far.
    var usage: GeminiUsage { usageBefore + usageOfAttempt }

    /// A reason for the end has come.
    var isOver: Bool { finish != nil }

    /// Whether a failed attempt may be made again unseen.
    var mayRetry: Bool { !hasTextInAttempt && resumption == nil && isAffordable }

    mutating func beginAttempt() {
        usageBefore += usageOfAttempt
        usageOfAttempt = GeminiUsage()
        if parts.count > hopStart {
            parts.removeSubrange(hopStart...)
            // After text of an earlier hop nothing may be called void; a thought that comes twice does no harm.
            owesRestart = owesRestart || hasShownThoughts && !hasText
        }
        hasTextInAttempt = false
        finish = nil
        finishMessage = nil
        token = nil
        isTokenFresh = false
    }

    mutating func tellsRestart() {
        owesRestart = false
        hasShownThoughts = false
    }

    mutating func take(_ reply: GeminiResponse) -> [GeminiPiece] {
        if let usage = reply.usage {
            usageOfAttempt.update(usage)
            promptMax = max(promptMax, usageOfAttempt.prompt + usageOfAttempt.toolUsePrompt)
        }
        modelVersion = reply.modelVersion ?? modelVersion
        modelStage = reply.modelStage ?? modelStage
        if !reply.parts.isEmpty { isTokenFresh = false }
        if let token = reply.continuationToken {
            self.token = token
            isTokenFresh = true
        }
        if let reason = reply.blockReason { finish = .blocked(reason) }
        if let reason = reply.finishReason, finish == nil { finish = GeminiFinish(reason: reason) }
        finishMessage = reply.finishMessage ?? finishMessage
        parts += reply.parts
        return reply.parts.compactMap { piece(of: GeminiPartView($0)) }
    }

    /// The request ended as it should, with a reason.
    mutating func next() -> Next {
        guard let finish else { preconditionFailure("a turn without an end was taken for one that is over") }
        let isNothing = !hasText && !parts.contains { GeminiPartView($0).call != nil }
        // The API takes no such name back, so a history with it in could never be sent again.
        let isUnanswerable = parts.contains { GeminiPartView($0).call.map { !$0.isNamed } ?? false }
        switch finish.kind {
        case .missingSignature:
            return .failed(error(.historyAltered, "Gemini misses signatures in the history of calls"))
        case .continuation:
            guard let token, token != startToken, hops < Limits.geminiHops, isAffordable else {
                return .done(turn(finish))
            }
            return hop(token)
        case .stop where isNothing:
            return again(checksCalls: false) ?? .failed(error(.emptyReply, "Gemini answered nothing, twice"))
        case .stop where isUnanswerable:
            return again(checksCalls: true) ?? unreadable(GeminiFinish(reason: "MALFORMED_FUNCTION_CALL"))
        case .malformed:
            return again(checksCalls: true) ?? unreadable(finish)
        case .stopped:
            return again(checksCalls: false) ?? .done(turn(finish))
        case .stop, .maxTokens, .refused, .abnormal:
            return .done(turn(finish))
        }
    }

    /// Where a torn stream can be taken up again without losing or doubling a word: a token, and nothing after it.
    mutating func resume() -> Next? {
        guard let token = resumption, hops < Limits.geminiHops, isAffordable else { return nil }
        return hop(token)
    }

    private var resumption: String? {
        isTokenFresh && finish == nil && token != startToken ? token : nil
    }

    /// The most that a call is billed, in multiples of one request's maximum.
    static let billedAttemptsMax = 4

    /// Another request fits into what the caller was told to reserve.
    private var isAffordable: Bool {
        let one = promptMax + outputTokensMax
        return usage.total + one <= Self.billedAttemptsMax * one
    }

    private mutating func hop(_ token: String) -> Next {
        startToken = token
        hops += 1
        hopStart = parts.count
        return .hop(token: token)
    }

    private mutating func again(checksCalls: Bool) -> Next? {
        guard !hasText, !hasTriedAgain, isAffordable else { return nil }
        hasTriedAgain = true
        hopStart = 0
        startToken = nil
        return .again(checksCalls: checksCalls)
    }

    private func unreadable(_ finish: GeminiFinish) -> Next {
        if hasText { return .done(turn(GeminiFinish(reason: finish.reason, kind: .malformed))) }
        return .failed(error(.emptyReply, "Gemini asked for tools in a way that can't be read, twice"))
    }

    private func turn(_ finish: GeminiFinish) -> GeminiTurn {
        GeminiTurn(
            parts: parts,
            finish: finish,
            finishMessage: finishMessage,
            usage: usage,
            modelVersion: modelVersion,
            modelStage: modelStage
        )
    }

    private func error(_ code: GeminiError.Code, _ message: String) -> GeminiError {
        let detail = [finish?.reason, finishMessage].compactMap(\.self).joined(separator: ": ")
        return GeminiError(code, message, detail: detail, usage: usage)
    }

    private mutating func piece(of part: GeminiPartView) -> GeminiPiece? {
        guard let text = part.text, !text.isEmpty else { return nil }
        if part.isThought {
            hasShownThoughts = true
            return .thought(text)
        }
        hasText = true
        hasTextInAttempt = true
        return .text(text)
    }
}
