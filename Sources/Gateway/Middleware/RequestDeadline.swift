/// Gives a request's work the time it has, and no more.
enum RequestDeadline {
    /// Runs `work`; when `deadline` passes first, cancels it and waits until it has stopped.
    ///
    /// - Throws: `timedOut`; what `work` throws.
    static func run<T: Sendable>(
        until deadline: ContinuousClock.Instant,
        _ work: @escaping @Sendable () async throws -> T
    ) async throws -> T {
        try await withThrowingTaskGroup(of: T?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                try await Task.sleep(until: deadline, clock: .continuous)
                return nil
            }
            defer { group.cancelAll() }
            guard let result = try await group.next(), let result else {
                throw GatewayError(.timedOut, "The answer took longer than the server allows.")
            }
            return result
        }
    }
}
