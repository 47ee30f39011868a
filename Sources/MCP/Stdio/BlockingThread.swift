#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Runs `body` on a thread of its own, with SIGPIPE blocked there: a peer that went away is an error code.
///
/// Blocking calls belong on such threads, never on the cooperative pool.
func startThread(_ body: @escaping @Sendable () -> Void) throws(MCPError) {
    final class Start: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    let start = Unmanaged.passRetained(Start(body))
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    defer { pthread_attr_destroy(&attributes) }
    var thread = pthread_t()
    let main: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
        guard let argument else { return nil }
        let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        start.body()
        return nil
    }
    let status = pthread_create(&thread, &attributes, main, start.toOpaque())
    guard status == 0 else {
        start.release()
        throw .transport("pthread_create", errno: status)
    }
}

/// Runs `write` with SIGPIPE blocked, on a thread that is not ours to change: a peer that went away is an error code.
func withoutPipeSignal(_ write: () -> Int) -> Int {
    var (pipe, before, pending) = (sigset_t(), sigset_t(), sigset_t())
    sigemptyset(&pipe)
    sigaddset(&pipe, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &pipe, &before)
    let count = write()
    // The signal of this write, which would come as soon as it may.
    if count < 0, errno == EPIPE, sigpending(&pending) == 0, sigismember(&pending, SIGPIPE) == 1 {
        var signal: Int32 = 0
        sigwait(&pipe, &signal)
    }
    pthread_sigmask(SIG_SETMASK, &before, nil)
    return count
}
