import Foundation

/// The processor time that this thread has used: a measure of work, to which waiting adds nothing.
package enum ThreadTime {
    package static var nanoseconds: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
