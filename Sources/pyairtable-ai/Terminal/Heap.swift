import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// What the allocator keeps of memory that was given back to it.
///
/// Two calls of glibc that its Swift module leaves out, mallopt(3) and malloc_trim(3); where the C library has none, nothing is
/// done.
enum Heap {
    /// As many places to allocate from as there are cores, where glibc has eight times as many: each keeps what its threads
    /// no longer use.
    ///
    /// Before there are threads.
    static func bound() {
        typealias Call = @convention(c) (CInt, CInt) -> CInt
        guard let mallopt = function("mallopt", as: Call.self) else { return }
        let arenaMax: CInt = -8
        _ = mallopt(arenaMax, CInt(max(2, ProcessInfo.processInfo.activeProcessorCount)))
    }

    /// Gives what is not in use back to the system.
    static func trim() {
        typealias Call = @convention(c) (Int) -> CInt
        _ = function("malloc_trim", as: Call.self)?(0)
    }

    private static func function<T>(_ name: String, as type: T.Type) -> T? {
        #if canImport(Glibc)
            dlsym(nil, name).map { unsafeBitCast($0, to: type) }
        #else
            nil
        #endif
    }
}
