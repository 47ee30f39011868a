extension Task {
    /// An unstructured task that this thread begins at once, and whoever is free takes over when it first waits.
    ///
    /// A task that is begun elsewhere costs two switches between threads, which is more than many of them have to do. The caller
    /// goes on only when the task waits or ends, so it must not hold a lock.
    public static func begunHere(
        _ work: @escaping @Sendable () async throws -> Success
    ) -> Task<Success, any Error> where Failure == any Error {
        #if os(Linux)
            Task.immediate { try await work() }
        #else
            Task { try await work() }
        #endif
    }
}
