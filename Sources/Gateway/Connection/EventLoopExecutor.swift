import NIOCore

/// Runs a connection's tasks on the thread that reads and writes it.
///
/// A small request is then read, answered and written by one thread; each change of thread would cost it as much as its work.
/// Only what is short may run there, as all connections of the thread wait: work that may take long is begun elsewhere
/// (`RequestDeadline`), and so are answers that are streams, and requests that come while others wait (`GatewayResponder`).
final class EventLoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
