import NIOCore

/// A timer that is moved much more often than it fires: one scheduled task looks again when its time has moved on.
///
/// For one event loop.
final class MovingTimer {
    private var task: (scheduled: Scheduled<Void>, due: NIODeadline)?
    private var due: NIODeadline?
    private var work: (() -> Void)?

    /// Fires after `time`, in place of what was set before.
    func fire(in time: TimeAmount, on loop: any EventLoop, _ work: @escaping () -> Void) {
        let due = NIODeadline.now() + time
        self.due = due
        self.work = work
        if let task, task.due <= due { return }
        task?.scheduled.cancel()
        schedule(at: due, loop)
    }

    func cancel() {
        task?.scheduled.cancel()
        task = nil
        due = nil
        work = nil
    }

    private func schedule(at due: NIODeadline, _ loop: any EventLoop) {
        let loopBound = NIOLoopBound((self, loop), eventLoop: loop)
        let scheduled = loop.scheduleTask(deadline: due) {
            let (timer, loop) = loopBound.value
            timer.look(loop)
        }
        task = (scheduled, due)
    }

    private func look(_ loop: any EventLoop) {
        task = nil
        guard let due else { return }
        if due > .now() { return schedule(at: due, loop) }
        let work = work
        self.due = nil
        self.work = nil
        work?()
    }
}
