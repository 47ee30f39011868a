import NIOCore

/// Gives a request's work the time it has, and no more.
enum RequestDeadline {
    /// Runs `work`; when `deadline` passes first, or the client goes away, cancels it and waits until it has stopped.
    ///
    /// - Parameter client: the connection of a client without whom the work is for nobody; nil when it is done anyway.
    /// - Throws: `timedOut`; `clientGone`; what `work` throws.
    static func run<T: Sendable>(
        until deadline: ContinuousClock.Instant,
        for client: (any Channel)? = nil,
        _ work: @escaping @Sendable () async throws -> T
    ) async throws -> T {
        let stop = StopSignal()
        if let client { await ClientWatch.on(client)?.whenComplete { _ in stop.fire(.gone) } }
        return try await withThrowingTaskGroup(of: T?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                try await Task.sleep(until: deadline, clock: .continuous)
                return nil
            }
            if client != nil {
                group.addTask {
                    guard await stop.wait() == .gone else { return nil }
                    throw GatewayError(.clientGone, "The client went away before its answer was there.")
                }
            }
            defer {
                group.cancelAll()
                stop.fire(.complete)
            }
            guard let result = try await group.next(), let result else {
                throw GatewayError(.timedOut, "The answer took longer than the server allows.")
            }
            return result
        }
    }
}
