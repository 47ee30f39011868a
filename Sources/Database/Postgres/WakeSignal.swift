#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Lets another thread end a `poll`: a pipe that becomes readable.
final class WakeSignal: Sendable {
    /// To be polled for reading.
    let readDescriptor: Int32
    private let writeDescriptor: Int32

    init() throws(DatabaseError) {
        var descriptors: [Int32] = [-1, -1]
        guard pipe(&descriptors) == 0 else {
            throw .internalError("no file descriptor is left for a database connection")
        }
        for descriptor in descriptors {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        }
        (readDescriptor, writeDescriptor) = (descriptors[0], descriptors[1])
    }

    deinit {
        close(readDescriptor)
        close(writeDescriptor)
    }

    func raise() {
        var byte: UInt8 = 1
        // A full pipe is readable already.
        _ = write(writeDescriptor, &byte, 1)
    }

    func clear() {
        var bytes: (UInt64, UInt64) = (0, 0)
        while read(readDescriptor, &bytes, 16) > 0 {}
    }
}
